import type { ApprovalState } from '../../core/approval/request.ts';
import type { ApprovalSummary } from '../../core/approval/store.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { openApprovals, whoMayAnswer } from '../approvals.ts';
import type { Invocation } from '../context.ts';
import { confirm, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode } from '../errors.ts';
import { formatRelative } from '../time.ts';

export interface ApprovalListOptions {
  /** True to show those that are decided, too. */
  readonly all: boolean;
}

/** Runs `rekey approval list`: the operations that wait for a second person. */
export async function approvalList(invocation: Invocation, { all }: ApprovalListOptions): Promise<ExitCode> {
  const { context, output } = invocation;
  const environment = await openEnvironment(invocation);
  const approvals = await openApprovals(invocation, environment);
  const requests = (await approvals.list()).filter(({ state }) => all || state === 'waiting');
  output.document({ environment: environment.name, requests });
  if (requests.length === 0) {
    output.line(all ? 'No request is kept.' : 'No request waits for approval.');
    return 0;
  }
  const now = context.clock.now();
  output.table(
    ['ID', 'OPERATION', 'SUBJECT', 'BY', 'ASKED', 'UNTIL', 'STATE'],
    requests.map(({ id, operation, act, subject, author, requestedAt, expiresAt, state }) => [
      id,
      `${operation}, ${act}`,
      subject,
      author.split('/').at(-1) ?? author,
      formatRelative(new Date(requestedAt), now),
      formatRelative(new Date(expiresAt), now),
      { text: state, tone: tones[state as ApprovalState] },
    ]),
  );
  return 0;
}

const tones = { waiting: 'warn', granted: 'good', refused: 'bad', expired: 'dim' } as const;

/** Runs `rekey approval show`: one request, with the answer that it has. */
export async function approvalShow(invocation: Invocation, requestId: string): Promise<ExitCode> {
  const environment = await openEnvironment(invocation);
  const approvals = await openApprovals(invocation, environment);
  const request = await approvals.show(requestId).catch(unknown);
  invocation.output.document({ environment: environment.name, ...request });
  invocation.output.table([], rowsOf(invocation, request));
  return 0;
}

export interface ApprovalAnswerOptions {
  readonly outcome: 'granted' | 'refused';
  readonly reason?: string;
  readonly yes: boolean;
}

/** Runs `rekey approval approve` and `rekey approval refuse`: answers as the caller, whom STS must know. */
export async function approvalAnswer(
  invocation: Invocation,
  requestId: string,
  { outcome, reason, yes }: ApprovalAnswerOptions,
): Promise<ExitCode> {
  const { output } = invocation;
  const environment = await openEnvironment(invocation);
  const approvals = await openApprovals(invocation, environment);
  const request = await approvals.show(requestId).catch(unknown);
  const approve = outcome === 'granted';
  output.note(approve ? 'Plan: approve an operation' : 'Plan: refuse an operation', 'strong');
  output.noteTable(rowsOf(invocation, request).map(([name, ...cells]) => [`  ${name}`, ...cells]));
  await confirm(
    invocation,
    yes,
    `${approve ? 'Approve' : 'Refuse'} ${request.operation} (${request.act}) of ${request.subject}?`,
  );
  const answered = await approvals.answer(requestId, outcome, reason);
  output.document({ environment: environment.name, ...answered });
  output.line(
    approve
      ? `Approved: the ${request.operation} of ${request.subject} goes on.`
      : `Refused: the ${request.operation} of ${request.subject} is not done.`,
    approve ? 'good' : 'warn',
  );
  return 0;
}

function rowsOf({ context }: Invocation, request: ApprovalSummary): [string, string][] {
  const now = context.clock.now();
  const { decision, approvers, expiresAt, escalatesAt } = request;
  const answered = decision !== undefined && decision.outcome !== 'expired';
  return [
    ['id', request.id],
    ['operation', `${request.operation}, ${request.act}`],
    ['subject', request.subject],
    ['asked by', request.author],
    ['reason', request.reason],
    ['asked', formatRelative(new Date(request.requestedAt), now)],
    ...(escalatesAt === undefined
      ? []
      : [['escalates', formatRelative(new Date(escalatesAt), now)] as [string, string]]),
    [
      'until',
      `${expiresAt} (${formatRelative(new Date(expiresAt), now)}), then it ${request.onExpiry === 'proceed' ? 'goes on' : 'is refused'}`,
    ],
    ['may answer', whoMayAnswer(approvers)],
    ['state', request.state],
    ...(answered
      ? ([
          ['answered by', `${decision.by.arn ?? decision.by.name}, with the ${decision.way}`],
          ...(decision.reason === undefined ? [] : [['because', decision.reason]]),
        ] as [string, string][])
      : []),
  ];
}

/** Makes a mistake of the command line of an id that is not known. */
const unknown = (error: unknown): never => {
  throw error instanceof RekeyError && error.code === 'ApprovalUnknown'
    ? new CliError(2, error.code, error.message)
    : error;
};
