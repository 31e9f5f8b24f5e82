import { deliveredEventSchema } from '../../core/audit/event.ts';
import { environmentTag } from '../../core/deployed/names.ts';
import { type ErrorSummary, RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import { type AnyEvent, detailSchema, type EventData, type Metadata } from '../../core/events/catalogue.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import type { EventBus } from '../../core/ports.ts';
import { quarantineDocument } from '../../core/quarantine/document.ts';
import type { Principals, QuarantineStore } from '../../core/quarantine/ports.ts';
import { actsAs, isCovered, partsOf } from '../../core/quarantine/principal.ts';
import {
  type Decision,
  decideLift,
  decidePlace,
  QuarantineRefusal,
  type QuarantineState,
  withoutPlaced,
} from '../../core/quarantine/state.ts';
import { requireFresh } from '../revocation/accepted-request.ts';

/** Rules on who may be quarantined, and who may ask. */
export interface QuarantinePolicy {
  /** Patterns of the ARNs that configuration names. */
  readonly principals: readonly string[];
  readonly sources: readonly string[];
  readonly accounts: readonly string[];
  /** Age above which a request is refused. */
  readonly maximumAgeMs: number;
}

export interface QuarantineDependencies {
  readonly store: QuarantineStore;
  readonly principals: Principals;
  readonly bus: EventBus;
  readonly origin: EventOrigin;
  readonly policy: QuarantinePolicy;
}

/** Outcome of a request. */
export type QuarantineOutcome =
  | { readonly outcome: Decision['outcome']; readonly requestId: string }
  | { readonly outcome: 'refused'; readonly requestId: string; readonly error: ErrorSummary };

const [placing, lifting] = ['Principal Quarantine Requested', 'Principal Quarantine Lift Requested'] as const;

/** A request of the agreed form. */
type Asked =
  | {
      readonly kind: typeof placing;
      readonly metadata: Metadata;
      readonly data: EventData<typeof placing>;
    }
  | {
      readonly kind: typeof lifting;
      readonly metadata: Metadata;
      readonly data: EventData<typeof lifting>;
    };

/** Times that a state is read anew where somebody else was faster. */
const mostRounds = 10;

/**
 * Takes a request for a quarantine, or for its end, from the bus. What is to be stands in the store first, and the principal's
 * policy follows it: requests that come twice, at once or in another order end in the same policy.
 *
 * @param input the event as EventBridge delivers it, unchecked
 * @throws whatever may pass; the invocation is then tried again and ends in the dead-letter queue
 */
export async function takeQuarantine(
  input: unknown,
  dependencies: QuarantineDependencies,
): Promise<QuarantineOutcome> {
  try {
    const asked = accept(input, dependencies);
    await requireChangeable(asked, dependencies);
    return await carryOut(asked, dependencies);
  } catch (error) {
    const summary = summarizeError(error);
    if (!(error instanceof RekeyError) || summary.retryable) throw error;
    const requestId = await refuse(input, summary, dependencies);
    return { outcome: 'refused', requestId, error: summary };
  }
}

/** Checks what EventBridge delivered: its form, who sent it, and when. */
function accept(input: unknown, { policy, origin }: QuarantineDependencies): Asked {
  const delivered = deliveredEventSchema.safeParse(input);
  if (!delivered.success) {
    throw new QuarantineRefusal('RequestMalformed', 'what arrived is not an event of EventBridge');
  }
  const { source, account, detail, time, 'detail-type': kind, 'replay-name': replay } = delivered.data;
  if (replay !== undefined) {
    throw new QuarantineRefusal(
      'RequestReplayed',
      `the replay ${JSON.stringify(replay)} brought this request again; if it is needed now, send a new one with rekey quarantine`,
    );
  }
  if (!policy.sources.includes(source)) {
    throw new QuarantineRefusal(
      'SourceNotAllowed',
      `the source ${JSON.stringify(source)} may not ask for quarantines; allowed are ${policy.sources.join(', ')}`,
    );
  }
  if (!policy.accounts.includes(account)) {
    throw new QuarantineRefusal('AccountNotAllowed', `the account ${account} may not ask for quarantines`);
  }
  const asked = parsedOf(kind, detail);
  if (asked.metadata.environment !== origin.environment) {
    throw new QuarantineRefusal(
      'EnvironmentMismatch',
      `the request is for the environment ${JSON.stringify(asked.metadata.environment)}, this is ${origin.environment}; send it to that environment's bus`,
    );
  }
  requireFresh(
    { metadata: asked.metadata.time, event: time },
    origin.clock.now().getTime(),
    policy.maximumAgeMs,
  );
  return asked;
}

function parsedOf(kind: string, detail: unknown): Asked {
  const parsed =
    kind === lifting ? detailSchema(lifting).safeParse(detail) : detailSchema(placing).safeParse(detail);
  if (!parsed.success || (kind !== placing && kind !== lifting)) {
    // Paths only: messages and unknown keys may quote what the sender wrote.
    const paths = parsed.error?.issues.map(({ path }) => path.join('.')) ?? ['detail-type'];
    throw new QuarantineRefusal(
      'RequestMalformed',
      `fields of the request's detail are missing, unknown or of a wrong form: ${[...new Set(paths)].join(', ')}; see docs/quarantine.md`,
    );
  }
  return { kind, ...parsed.data } as Asked;
}

/** Refuses principals that configuration does not name, and those that Rekey or whoever asks acts by. */
async function requireChangeable(
  { kind, metadata, data }: Asked,
  { policy, principals }: QuarantineDependencies,
): Promise<void> {
  const { principal } = data;
  if (!isCovered(principal, policy.principals)) {
    throw new QuarantineRefusal(
      'PrincipalNotCovered',
      `${principal} is none of the principals that may be quarantined here: ${policy.principals.join(', ')}; name it in quarantine.principals and deploy, or deny it by hand`,
    );
  }
  // The end of a quarantine is never refused for what the principal is.
  if (kind === lifting) return;
  if (partsOf(principal).kind === 'user' && data.scope !== 'all') {
    throw new QuarantineRefusal(
      'QuarantineScopeInvalid',
      `${principal} is a user, whose access keys have no time of issue and would go on: ask for it with --all`,
    );
  }
  if (actsAs(metadata.actor, principal)) {
    throw new QuarantineRefusal(
      'PrincipalProtected',
      `${principal} is who asks, and could not lift it again; have somebody else ask`,
    );
  }
  const found = await principals.describe(principal);
  if (found === undefined || found.arn !== principal) {
    throw new QuarantineRefusal(
      'PrincipalMissing',
      `there is no ${principal} in this account${found === undefined ? '' : `; of that name there is ${found.arn}`}`,
    );
  }
  if (found.tags[environmentTag] !== undefined) {
    throw new QuarantineRefusal(
      'PrincipalProtected',
      `${principal} is Rekey's own, of the environment ${found.tags[environmentTag]}: without it nothing could be revoked or lifted`,
    );
  }
}

async function carryOut(asked: Asked, dependencies: QuarantineDependencies): Promise<QuarantineOutcome> {
  const { store, origin, bus } = dependencies;
  const { principal } = asked.data;
  const now = origin.clock.now();
  const decide = (state: QuarantineState) =>
    asked.kind === lifting
      ? decideLift(state, asked.data.quarantineId)
      : decidePlace(state, {
          requestId: asked.metadata.id,
          scope: asked.data.scope,
          before: toTheSecond(now),
          requestedAt: new Date(Math.min(Date.parse(asked.metadata.time), now.getTime())).toISOString(),
        });
  const decision = await settleState(principal, decide, store).catch(async (error: unknown) => {
    // What the refusal says to stand must stand: somebody may have taken the policy away, or made the principal anew.
    if (error instanceof QuarantineRefusal && (await store.read(principal)).state.standing !== undefined) {
      await converge(principal, dependencies);
    }
    throw error;
  });
  try {
    await converge(principal, dependencies);
  } catch (error) {
    // Nobody will try it again, so what is remembered goes back to what IAM has. An end that IAM did not take can be asked for again.
    if (!summarizeError(error).retryable && asked.kind === placing) {
      await forget(principal, asked.metadata.id, store);
    }
    throw error;
  }
  if (decision.outcome !== 'over') {
    const { state } = await store.read(principal);
    await bus.publish(eventsOf(asked, state, origin));
  }
  return { outcome: decision.outcome, requestId: asked.metadata.id };
}

/** Gives the next full second. IAM compares seconds, and a session that just began is denied, too. */
const toTheSecond = (at: Date): string =>
  new Date(Math.ceil((at.getTime() + 1) / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');

/** Decides by what is remembered, and remembers it. Where somebody was faster, it decides anew. */
async function settleState(
  principal: string,
  decide: (state: QuarantineState) => Decision,
  store: QuarantineStore,
): Promise<Decision> {
  for (let round = 0; round < mostRounds; round += 1) {
    const { version, state } = await store.read(principal);
    const decision = decide(state);
    if (decision.outcome === 'known' || decision.outcome === 'over') return decision;
    if (await store.replace(principal, version, decision.state)) return decision;
  }
  throw new RekeyError('ResourceBusy', `${principal}: others change its quarantine at once; try later`);
}

/** Brings the principal's policy to what is remembered, until nobody has changed that meanwhile. */
async function converge(principal: string, { store, principals }: QuarantineDependencies): Promise<void> {
  for (let round = 0; round < mostRounds; round += 1) {
    const { version, state } = await store.read(principal);
    if (state.standing === undefined) await principals.release(principal);
    else await principals.deny(principal, quarantineDocument(state.standing));
    if ((await store.read(principal)).version === version) return;
  }
  throw new RekeyError('ResourceBusy', `${principal}: others change its quarantine at once; try later`);
}

/** Forgets a quarantine that IAM refused. Another one that stands by now stays. */
async function forget(principal: string, requestId: string, store: QuarantineStore): Promise<void> {
  const { version, state } = await store.read(principal);
  const before = withoutPlaced(state, requestId);
  if (before !== state) await store.replace(principal, version, before);
}

function eventsOf(asked: Asked, { standing }: QuarantineState, origin: EventOrigin): AnyEvent[] {
  const { metadata, data } = asked;
  const { principal, reason, incident } = data;
  const common = {
    requestId: metadata.id,
    principal,
    reason,
    ...(incident !== undefined && { incident }),
    requestedAt: new Date(Math.min(Date.parse(metadata.time), origin.clock.now().getTime())).toISOString(),
  };
  const links = {
    correlationId: metadata.correlationId,
    causationId: metadata.id,
    fact: metadata.id,
  };
  if (asked.kind === lifting) {
    const { quarantineId } = asked.data;
    return [createEvent(origin, 'Principal Quarantine Lifted', { ...common, quarantineId }, links)];
  }
  // Somebody may have replaced or lifted it since; that one's own record says so.
  if (standing?.requestId !== metadata.id) return [];
  return [
    createEvent(
      origin,
      'Principal Quarantined',
      {
        ...common,
        scope: standing.scope,
        before: standing.before,
        ...(standing.former !== undefined && { replaces: standing.former.requestId }),
      },
      links,
    ),
  ];
}

/** Publishes the refusal and returns the request's id. */
async function refuse(
  input: unknown,
  error: ErrorSummary,
  { bus, origin }: QuarantineDependencies,
): Promise<string> {
  const delivered = deliveredEventSchema.safeParse(input).data;
  const { metadata, data } = detailSchema(placing).partial().safeParse(delivered?.detail).data ?? {};
  const lift = detailSchema(lifting).safeParse(delivered?.detail).data;
  const eventId = delivered?.id ?? 'unknown';
  const known = metadata ?? lift?.metadata;
  const { principal, incident } = data ?? lift?.data ?? {};
  const requestId = known?.id ?? eventId;
  await bus.publish([
    createEvent(
      origin,
      'Principal Quarantine Refused',
      {
        requestId,
        requestSource: delivered?.source ?? 'unknown',
        ...(principal !== undefined && { principal }),
        ...(incident !== undefined && { incident }),
        error,
      },
      {
        correlationId: known?.correlationId ?? eventId,
        causationId: requestId,
        fact: `${requestId} ${error.code}`,
      },
    ),
  ]);
  return requestId;
}
