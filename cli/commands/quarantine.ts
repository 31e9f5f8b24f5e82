import { busName } from '../../core/deployed/names.ts';
import type { DetailType, EventData } from '../../core/events/catalogue.ts';
import { type QuarantineFacts, quarantineFactsSchema } from '../../core/quarantine/deployed.ts';
import { actsAs, isCovered, partsOf, quarantinedArnSchema } from '../../core/quarantine/principal.ts';
import type { QuarantineScope } from '../../core/quarantine/state.ts';
import type { Invocation } from '../context.ts';
import { confirm, type Environment, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode, usageError } from '../errors.ts';
import { explain } from '../failure.ts';
import { quarantineAnswer } from '../function-log.ts';
import { actorOf } from '../revocation-request.ts';
import { formatDuration } from '../time.ts';

/** Options that a quarantine and its end share. */
export interface QuarantineOptions {
  readonly reason: string;
  readonly incident?: string;
  readonly wait: boolean;
  readonly yes: boolean;
  /** Longest wait, in milliseconds. */
  readonly timeoutMs: number;
}

const pollMs = 1_000;

/** Runs `rekey quarantine principal`: asks that a role or user be denied everything. */
export async function quarantinePrincipal(
  invocation: Invocation,
  principal: string,
  options: QuarantineOptions & { readonly all: boolean },
): Promise<ExitCode> {
  const { output } = invocation;
  const environment = await openEnvironment(invocation);
  const facts = quarantineFacts(environment);
  requirePrincipal(principal, facts);
  const scope: QuarantineScope = options.all ? 'all' : 'sessions';
  if (partsOf(principal).kind === 'user' && scope !== 'all') {
    throw usageError(
      'QuarantineScopeInvalid',
      `${principal} is a user, whose access keys have no time of issue and would go on: give --all`,
    );
  }
  const actor = await actorOf(invocation);
  if (actsAs(actor, principal)) {
    throw usageError('PrincipalProtected', `you act as ${principal}, and could not lift it again`);
  }
  output.note('Plan: quarantine a principal', 'strong');
  output.noteTable([
    ['  environment', environment.name],
    ['  principal', principal],
    ['  denies', { text: scopeWords[scope], tone: scope === 'all' ? 'bad' : 'warn' }],
    ['  reason', options.reason],
    ...(options.incident === undefined ? [] : [['  incident', options.incident]]),
  ]);
  await confirm(invocation, options.yes, `Quarantine ${principal} in ${environment.name}?`);
  return await send(invocation, environment, facts, actor, options, {
    detailType: 'Principal Quarantine Requested',
    data: { principal, scope, ...saidBy(options) },
    asked: 'the quarantine',
    hint: (id) => `To lift it: rekey quarantine lift ${principal} --request ${id} --reason "…"`,
  });
}

const scopeWords: Readonly<Record<QuarantineScope, string>> = {
  sessions: 'everything to sessions that began before now; new ones work',
  all: 'everything to whoever acts as it, until the quarantine is lifted',
};

/** Runs `rekey quarantine lift`: asks for the end of the quarantine that one request placed. */
export async function quarantineLift(
  invocation: Invocation,
  principal: string,
  options: QuarantineOptions & { readonly request: string },
): Promise<ExitCode> {
  const { output } = invocation;
  const environment = await openEnvironment(invocation);
  const facts = quarantineFacts(environment);
  requirePrincipal(principal, facts);
  output.note('Plan: lift the quarantine of a principal', 'strong');
  output.noteTable([
    ['  environment', environment.name],
    ['  principal', principal],
    ['  quarantine', options.request],
    ['  effect', { text: 'its credentials work again, stolen ones too', tone: 'warn' }],
    ['  reason', options.reason],
  ]);
  await confirm(invocation, options.yes, `Lift the quarantine of ${principal} in ${environment.name}?`);
  return await send(invocation, environment, facts, await actorOf(invocation), options, {
    detailType: 'Principal Quarantine Lift Requested',
    data: { principal, quarantineId: options.request, ...saidBy(options) },
    asked: 'the end of the quarantine',
    hint: () => 'rekey audit tail --follow shows what comes of it.',
  });
}

const saidBy = ({ reason, incident }: QuarantineOptions) => ({
  reason,
  ...(incident !== undefined && { incident }),
});

/** Reads which principals may be quarantined. @throws CliError `QuarantineOff` */
function quarantineFacts({ name, facts }: Environment): QuarantineFacts {
  if (facts.quarantine === undefined) {
    throw new CliError(
      3,
      'QuarantineOff',
      `environment ${name} quarantines nobody: name principals in quarantine.principals and deploy, or deny the principal by hand in IAM`,
    );
  }
  return quarantineFactsSchema.parse(JSON.parse(facts.quarantine));
}

function requirePrincipal(principal: string, { principals }: QuarantineFacts): void {
  const { error } = quarantinedArnSchema.safeParse(principal);
  if (error !== undefined) {
    throw usageError(
      'UsageInvalid',
      `${JSON.stringify(principal.slice(0, 256))}: ${error.issues[0]?.message}`,
    );
  }
  if (isCovered(principal, principals)) return;
  throw usageError(
    'PrincipalNotCovered',
    `${principal} is none of the principals that may be quarantined here: ${principals.join(', ')}`,
  );
}

/** The request that is sent, in words as well. */
interface Sent<T extends DetailType> {
  readonly detailType: T;
  readonly data: EventData<T>;
  readonly asked: string;
  readonly hint: (requestId: string) => string;
}

async function send<T extends 'Principal Quarantine Requested' | 'Principal Quarantine Lift Requested'>(
  { cloud, context, output }: Invocation,
  environment: Environment,
  { logGroup }: QuarantineFacts,
  actor: string,
  options: QuarantineOptions,
  { detailType, data, asked, hint }: Sent<T>,
): Promise<ExitCode> {
  const [{ createEvent }, { detailSchema }] = await Promise.all([
    import('../../core/events/create.ts'),
    import('../../core/events/catalogue.ts'),
  ]);
  const { clock, random } = context;
  const event = createEvent(
    { source: 'rekey.cli', environment: environment.name, actor, clock, random },
    detailType,
    data,
    { correlationId: 'set below' },
  );
  const { id, time } = event.detail.metadata;
  const detail = { ...event.detail, metadata: { ...event.detail.metadata, correlationId: id } };
  const { error } = detailSchema(detailType).safeParse(detail);
  if (error !== undefined) {
    const what = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    throw usageError('RequestInvalid', `the request is not valid: ${what}`);
  }
  const bus = await cloud.bus(environment.facts.eventBus ?? busName(environment.name));
  await bus.publish([{ ...event, detail } as Parameters<typeof bus.publish>[0][number]]);
  const facts = { environment: environment.name, requestId: id, requestedAt: time, ...data };
  if (!options.wait) {
    output.document({ ...facts, outcome: 'requested', error: null });
    output.line(`Requested ${asked}: ${id}`);
    output.note(hint(id), 'dim');
    return 0;
  }
  const requestedAt = new Date(time);
  for (;;) {
    const answer = await quarantineAnswer(cloud, logGroup, id, requestedAt).catch((failure: unknown) => {
      if (explain(failure).code === 'AccessDenied') throw failure;
      return undefined;
    });
    const elapsed = clock.now().getTime() - requestedAt.getTime();
    if (answer === undefined && elapsed < options.timeoutMs && !context.signal.aborted) {
      output.progress(`waiting for ${asked}, ${formatDuration(elapsed)}`);
      await context.sleep(pollMs);
      continue;
    }
    output.clearProgress();
    output.document({ ...facts, outcome: answer?.outcome ?? 'unfinished', error: answer?.error ?? null });
    if (answer?.error !== undefined) {
      output.line(`Refused ${asked} ${id}: ${answer.error.code}: ${answer.error.message}`, 'bad');
      return 1;
    }
    if (answer === undefined) {
      output.line(`Requested ${asked}, and no answer came: ${id}`, 'bad');
      output.note(
        'It goes on by itself; rekey audit tail --follow shows what happens, rekey doctor why not.',
      );
      return 1;
    }
    output.line(`Done: ${asked}, request ${id}. IAM tells all of its places within seconds.`, 'good');
    output.note(hint(id), 'dim');
    return 0;
  }
}
