import type { ApprovalFacts } from '../core/approval/deployed.ts';
import { sourceOfOwner } from '../core/deployed/names.ts';
import type { AnyEvent, RevocationMode, RevocationRequest } from '../core/events/catalogue.ts';
import type { EventLinks } from '../core/events/create.ts';
import type { EventBus } from '../core/ports.ts';
import { whoMayAnswer } from './approvals.ts';
import type { Invocation } from './context.ts';
import { usageError } from './errors.ts';
import { explain } from './failure.ts';

/** Options of every request for a revocation, whatever it is about. */
export interface RequestOptions {
  readonly mode: RevocationMode;
  readonly reason: string;
  readonly incident?: string;
  readonly drill: boolean;
  /** True to go on without the second person that it needs. */
  readonly breakGlass: boolean;
  readonly wait: boolean;
  readonly yes: boolean;
  /** Longest wait, in milliseconds. */
  readonly timeoutMs: number;
}

/** The part of the options that decides whether a second person is needed. */
type Asked = Pick<RequestOptions, 'mode' | 'breakGlass'>;

/** Event that asks for a revocation. */
type RequestEvent = Awaited<ReturnType<typeof requestEvent>>;

/**
 * Puts the request on the bus. A responder who acts for one owner alone may put it there with the owner in its source, and the
 * intake takes it for that owner's secrets only.
 */
export async function publishRequest(
  bus: EventBus,
  event: AnyEvent,
  owner: string | undefined,
): Promise<void> {
  try {
    await bus.publish([event]);
  } catch (error) {
    if (owner === undefined || explain(error).code !== 'AccessDenied') throw error;
    await bus.publish([{ ...event, source: sourceOfOwner(event.source, owner) }]);
  }
}

/** Gives the approval that a request waits for, where it needs one and does not break the glass. */
export function neededApproval(
  approvals: ApprovalFacts | undefined,
  { mode, breakGlass }: Asked,
): ApprovalFacts | undefined {
  return approvals?.revocation.includes(mode) === true && !breakGlass ? approvals : undefined;
}

/** Proves to the environment who asks, which a request that waits for a second person needs. */
export async function proveAuthor(
  { cloud }: Invocation,
  environment: string,
  approval: ApprovalFacts,
  { detail }: RequestEvent,
): Promise<void> {
  const { requestDigest } = await import('../core/deployed/revocation-request.ts');
  const approvals = await cloud.approvals(environment, approval);
  await approvals.ask(detail.metadata.id, requestDigest(detail.data));
}

/** Says for whom the workflow waits, and until when. A line of its own says so once, for whoever passes it on. */
export function waitDescription(
  { cloud, output }: Invocation,
  environment: string,
  approval: ApprovalFacts,
  requestId: string,
): (stage: string) => Promise<string | undefined> {
  let until: string | undefined;
  return async (stage) => {
    if (stage !== 'Wait for approval') return undefined;
    const who = whoMayAnswer(approval.approvers);
    if (until === undefined) {
      const approvals = await cloud.approvals(environment, approval);
      until = await approvals.show(requestId).then(
        ({ expiresAt }) => expiresAt,
        () => undefined,
      );
      if (until !== undefined) {
        output.clearProgress();
        output.note(
          `Waits for approval by ${who}, until ${until}: rekey approval approve ${requestId}`,
          'warn',
        );
      }
    }
    return `waiting for approval by ${who}${until === undefined ? '' : `, until ${until}`}`;
  };
}

/** Tells whether an error comes from a service that is throttled, away or refuses, not from what the caller gave. */
export function isFromService(error: unknown): boolean {
  const { exitCode, code } = explain(error);
  return (
    exitCode === 3 && !code.startsWith('Credentials') && !['RegionMissing', 'SecretMissing'].includes(code)
  );
}

/**
 * Names the caller, or `unknown` while STS is away, since an emergency goes on. EventBridge attests the
 * account, and the log keeps what a sender says as a claim.
 */
export async function actorOf({ cloud, output }: Invocation): Promise<string> {
  try {
    return (await cloud.identity()).arn;
  } catch (error) {
    if (!isFromService(error)) throw error;
    output.note(
      `Who asks could not be looked up, and the request goes out without: ${explain(error).message}`,
      'warn',
    );
    return 'unknown';
  }
}

/** Says in the plan whether a second person is needed. */
export function approvalRows(
  approvals: ApprovalFacts | undefined,
  options: Asked,
): [string, string | { text: string; tone: 'bad' | 'warn' }][] {
  if (approvals?.revocation.includes(options.mode) !== true) return [];
  const { approvers, minutes, onExpiry } = approvals;
  return options.breakGlass
    ? [
        [
          '  approval',
          { text: 'none: the glass is broken, which is recorded and raises an alarm', tone: 'bad' },
        ],
      ]
    : [
        [
          '  approval',
          {
            text: `by ${whoMayAnswer(approvers)} within ${minutes} minutes; after that it ${onExpiry === 'proceed' ? 'goes on' : 'is refused'}`,
            tone: 'warn',
          },
        ],
      ];
}

/**
 * Makes the event that asks for the revocation. Without links it is the first event of its revocation. The catalogue is loaded here because it brings the schemas along, which other
 * commands do without.
 */
export async function requestEvent(
  { context }: Invocation,
  environment: string,
  actor: string,
  data: RevocationRequest,
  links?: EventLinks,
) {
  const [{ createEvent }, { revocationRequestSchema }] = await Promise.all([
    import('../core/events/create.ts'),
    import('../core/events/catalogue.ts'),
  ]);
  const parsed = revocationRequestSchema.safeParse(data);
  if (!parsed.success) {
    const what = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    throw usageError('RequestInvalid', `the request is not valid: ${what}`);
  }
  const event = createEvent(
    {
      source: 'rekey.cli',
      environment,
      actor,
      clock: context.clock,
      random: context.random,
    },
    'Secret Revocation Requested',
    parsed.data,
    links ?? { correlationId: 'set below' },
  );
  if (links !== undefined) return event;
  // The request is the first event of its revocation, so its own id is what the others correlate to.
  const metadata = { ...event.detail.metadata, correlationId: event.detail.metadata.id };
  return { ...event, detail: { ...event.detail, metadata } };
}

/** Gives the part of a request that options decide, whatever it is about. */
export const requestOf = (options: RequestOptions): Omit<RevocationRequest, 'select'> => ({
  mode: options.mode,
  reason: options.reason,
  drill: options.drill,
  ...(options.breakGlass && { breakGlass: true }),
  ...(options.incident !== undefined && { incident: options.incident }),
});

/**
 * Refuses to break the glass where that is forbidden.
 * @throws CliError `BreakGlassForbidden`
 */
export function requireGlass(
  {
    environment,
    approvals,
  }: { readonly environment: string; readonly approvals?: ApprovalFacts | undefined },
  { breakGlass }: Asked,
): void {
  if (!breakGlass || approvals?.breakGlass !== false) return;
  throw usageError(
    'BreakGlassForbidden',
    `revocations in ${environment} may not go on without approval; send the request without --break-glass`,
  );
}
