import type { ApprovalStore } from '../../core/approval/store.ts';
import { deliveredEventSchema } from '../../core/audit/event.ts';
import { usualStepSeconds } from '../../core/deployed/limits.ts';
import { sourceOfOwner } from '../../core/deployed/names.ts';
import { requestDigest } from '../../core/deployed/revocation-request.ts';
import type { PlanInput, WorkflowInput } from '../../core/deployed/revocation-state.ts';
import type { ErrorCodeOf } from '../../core/errors/codes.ts';
import { type ErrorSummary, RekeyError, SecretError, summarizeError } from '../../core/errors/rekey-error.ts';
import {
  type AnyEvent,
  detailSchema,
  type RevocationMode,
  type RevocationRequest,
} from '../../core/events/catalogue.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import { lookUntil, type WithWait, waitOutThrottles } from '../../core/pace/patience.ts';
import type { DefinitionStore, EventBus, RevocationStarter, SecretStore } from '../../core/ports.ts';
import { selectionText, soleSecret } from '../../core/revocation/selection.ts';
import { assignmentOf } from '../../core/secret/definition.ts';

/** The rules on who may ask for a revocation. */
interface RequestPolicy {
  /** Values of the event's `source`. */
  readonly sources: readonly string[];
  readonly accounts: readonly string[];
  /** Age above which a request is refused. An old one may ask for what is wrong by now, and its sender may not stand by it. */
  readonly maximumAgeMs: number;
}

/** Time by which a sender's clock may run ahead of the intake's. */
const clockSkewMs = 15 * 60_000;

/** The revocations that need a second person. */
export interface RevocationApprovals {
  readonly modes: readonly RevocationMode[];
  /** True where a request may ask to go on without approval. */
  readonly breakGlass: boolean;
  readonly authors: Pick<ApprovalStore, 'author'>;
}

export interface IntakeDependencies extends WithWait {
  readonly definitions: DefinitionStore;
  readonly store: Pick<SecretStore, 'describe' | 'listVersions'>;
  /** Starts the workflow of one secret. */
  readonly starter: RevocationStarter;
  /** Starts the workflow that plans, for requests that may be about several secrets. */
  readonly planStarter: RevocationStarter;
  readonly bus: EventBus;
  readonly origin: EventOrigin;
  readonly policy: RequestPolicy;
  /** The rules on the second person. @default - no revocation needs one */
  readonly approvals?: RevocationApprovals | undefined;
}

/** Outcome of a request. `known`: it was delivered before, and its work is done or under way. */
export type IntakeOutcome =
  | {
      readonly outcome: 'started' | 'known';
      /** True where a second person would have had to approve, and the glass was broken. */
      readonly bypassed?: true;
    }
  | {
      readonly outcome: 'rejected';
      /** Id of the request; EventBridge's id of the event, where the request has none of the agreed form. */
      readonly requestId: string;
      readonly error: ErrorSummary;
    };

/** A request that must not be acted upon. It is answered with an event and an alarm, never with silence. */
class Rejection extends RekeyError<ErrorCodeOf<'revocation' | 'approval'>> {}

/** A request that passed, with what the events about it share. */
interface Accepted {
  readonly id: string;
  readonly correlationId: string;
  readonly requestedAt: string;
  readonly request: RevocationRequest;
  /** Sender in the sender's own words. */
  readonly claimedActor: string;
  /** Owner whose secrets alone the sender may ask for. @default - all */
  readonly owner?: string;
}

/** The way in which a request meets the rule that a second person approves. */
interface Approval {
  /** Facts that a second person decides on, where the workflow waits for one. */
  readonly wait?: NonNullable<WorkflowInput['approval']>;
  /** Sender of a request that goes on without, where one would have to approve. */
  readonly bypass?: { readonly author: string; readonly authorProven: boolean };
}

/**
 * Takes a `Secret Revocation Requested` event from the bus and starts the workflow, once per request id. Before that it checks
 * the event, finds the secret, and fixes which versions leaked.
 *
 * @param input the event as EventBridge delivers it, unchecked
 * @throws whatever keeps a good request from being started; the invocation is then retried and ends in the dead-letter
 * queue
 */
export async function takeRequest(input: unknown, dependencies: IntakeDependencies): Promise<IntakeOutcome> {
  try {
    const accepted = accept(input, dependencies);
    const approval = await approvalOf(accepted, dependencies);
    const running = needsPlan(accepted.request)
      ? await startPlan(accepted, approval, dependencies)
      : await startOne(accepted, approval, dependencies);
    return { outcome: running, ...(approval.bypass !== undefined && { bypassed: true }) };
  } catch (error) {
    if (error instanceof Rejection || error instanceof SecretError) {
      const summary = summarizeError(error);
      const requestId = await reject(input, summary, dependencies);
      return { outcome: 'rejected', requestId, error: summary };
    }
    throw error;
  }
}

/** Tells whether a request may be about several secrets, which only a plan can say. */
const needsPlan = ({ select, chain }: RevocationRequest): boolean =>
  chain === true || soleSecret(select) === undefined;

/** Starts the revocation of one secret, and announces it. */
async function startOne(accepted: Accepted, approval: Approval, dependencies: IntakeDependencies) {
  const workflow = await prepare(accepted, approval.wait, dependencies);
  const running = await startOnce(dependencies.starter, accepted.id, workflow, dependencies);
  await announce(accepted, workflow, approval.bypass, dependencies);
  return running;
}

/** Starts the workflow that plans the revocation of several secrets, and announces what it finds. */
async function startPlan(
  { id, correlationId, requestedAt, request, owner }: Accepted,
  approval: Approval,
  dependencies: IntakeDependencies,
) {
  if (request.versions !== undefined && soleSecret(request.select) === undefined) {
    throw new Rejection(
      'RequestMalformed',
      'versions are of one secret: name it with select.secret, or its versions in select.secrets',
    );
  }
  const { select, mode } = request;
  const input: PlanInput = {
    requestId: id,
    correlationId,
    requestDigest: requestDigest(request),
    requestedAt,
    takenAt: dependencies.origin.clock.now().toISOString(),
    request,
    subject: selectionText(select),
    mode,
    ...(owner !== undefined && { owner }),
    ...(approval.wait !== undefined && { approval: approval.wait }),
  };
  const running = await startOnce(dependencies.planStarter, id, input, dependencies);
  const bypassed = bypassEvents({ id, correlationId, request }, input.subject, approval.bypass, dependencies);
  if (bypassed.length > 0) await dependencies.bus.publish(bypassed);
  return running;
}

/** Starts a workflow, once for each id of a request. */
async function startOnce(
  starter: RevocationStarter,
  id: string,
  input: WorkflowInput | PlanInput,
  { wait }: WithWait,
): Promise<'started' | 'known'> {
  const running = await waitOutThrottles(() => starter.start(id, JSON.stringify(input)), wait);
  if (running === 'started') return 'started';
  if (digestOf(running.input) !== input.requestDigest) {
    throw new Rejection(
      'RequestConflict',
      `the request id ${id} was used before for another request; send this one with an id of its own`,
    );
  }
  return 'known';
}

function accept(input: unknown, { policy, origin }: IntakeDependencies): Accepted {
  const delivered = deliveredEventSchema.safeParse(input);
  if (!delivered.success) {
    throw new Rejection('RequestMalformed', 'what arrived is not an event of EventBridge');
  }
  const { source, account, detail, time } = delivered.data;
  const replayName = delivered.data['replay-name'];
  if (replayName !== undefined) {
    throw new Rejection(
      'RequestReplayed',
      `the replay ${JSON.stringify(replayName)} brought this request again, and revocations are not replayed; if it is needed now, send a new one with rekey revoke`,
    );
  }
  const owner = policy.sources.includes(source) ? undefined : ownerOf(source, policy.sources);
  if (!policy.sources.includes(source) && owner === undefined) {
    throw new Rejection(
      'SourceNotAllowed',
      `the source ${JSON.stringify(source)} may not ask for revocations; allowed are ${policy.sources.join(', ')}`,
    );
  }
  if (!policy.accounts.includes(account)) {
    throw new Rejection('AccountNotAllowed', `the account ${account} may not ask for revocations`);
  }
  const parsed = detailSchema('Secret Revocation Requested').safeParse(detail);
  if (!parsed.success) {
    // Paths only: messages and unknown keys may quote what the sender wrote.
    const paths = parsed.error.issues.map(({ path }) => path.join('.'));
    throw new Rejection(
      'RequestMalformed',
      `fields of the request's detail are missing, unknown or of a wrong form: ${[...new Set(paths)].join(', ')}; see docs/revocation.md`,
    );
  }
  const { metadata, data } = parsed.data;
  if (metadata.environment !== origin.environment) {
    throw new Rejection(
      'EnvironmentMismatch',
      `the request is for the environment ${JSON.stringify(metadata.environment)}, this is ${origin.environment}; send it to that environment's bus`,
    );
  }
  const now = origin.clock.now().getTime();
  requireFresh({ metadata: metadata.time, event: time }, now, policy.maximumAgeMs);
  return {
    id: metadata.id,
    correlationId: metadata.correlationId,
    // A sender's clock may run ahead; refusal never comes before the request.
    requestedAt: new Date(Math.min(Date.parse(metadata.time), now)).toISOString(),
    request: data,
    claimedActor: metadata.actor,
    ...(owner !== undefined && { owner }),
  };
}

/** Reads the owner in a source that may ask for the secrets of one owner: `rekey.cli/team-orders` where `rekey.cli` may ask. */
const ownerOf = (source: string, sources: readonly string[]): string | undefined =>
  sources.flatMap((allowed) => {
    const prefix = sourceOfOwner(allowed, '');
    return source.startsWith(prefix) && source.length > prefix.length ? [source.slice(prefix.length)] : [];
  })[0];

/**
 * Finds out whether a second person must approve. An emergency goes on without one where the sender says so: who that is may be
 * unproven, since STS may be away, too.
 */
async function approvalOf(
  { id, request, claimedActor }: Accepted,
  { approvals, wait }: IntakeDependencies,
): Promise<Approval> {
  const breaksGlass = request.breakGlass === true;
  if (breaksGlass && approvals?.breakGlass === false) {
    throw new Rejection(
      'BreakGlassForbidden',
      'revocations here may not go on without approval; send the request without --break-glass, and have a second person approve',
    );
  }
  if (approvals === undefined || !approvals.modes.includes(request.mode)) return {};
  const look = () => waitOutThrottles(() => approvals.authors.author(id), wait);
  const noted = await (breaksGlass ? look().catch(() => undefined) : look());
  const author = noted?.digest === requestDigest(request) ? noted.person : undefined;
  if (breaksGlass) {
    return { bypass: { author: author?.arn ?? claimedActor, authorProven: author !== undefined } };
  }
  if (author === undefined) {
    throw new Rejection(
      'AuthorUnproven',
      `${request.mode} needs the approval of a second person here, and nobody has proven to be the author of this request; send it with rekey revoke, or in an emergency with --break-glass`,
    );
  }
  return { wait: { author, reason: request.reason } };
}

/**
 * Refuses a request that is too old or in the future. Both times count: the sender sets the one, and whoever puts the event on
 * the bus may set the other.
 */
function requireFresh(times: { metadata: string; event: string }, now: number, maximumAgeMs: number): void {
  for (const [name, text] of Object.entries(times)) {
    const which = name === 'metadata' ? 'metadata.time' : 'the time of the event';
    const age = now - Date.parse(text);
    if (Number.isNaN(age)) {
      throw new Rejection('RequestMalformed', `${which} is not a time`);
    }
    if (age > maximumAgeMs) {
      throw new Rejection(
        'RequestTooOld',
        `${which} is ${text}, more than ${maximumAgeMs / 3_600_000} hours ago; if the revocation is still needed, send a new request with rekey revoke`,
      );
    }
    if (age < -clockSkewMs) {
      throw new Rejection(
        'RequestInFuture',
        `${which} is ${text}, more than ${clockSkewMs / 60_000} minutes ahead; set the sender's clock right and send a new request`,
      );
    }
  }
}

async function prepare(
  { id, correlationId, requestedAt, request, owner }: Accepted,
  approval: Approval['wait'],
  { definitions, store, origin, wait }: IntakeDependencies,
): Promise<WorkflowInput> {
  const { select, mode } = request;
  const secret = soleSecret(select);
  if (secret === undefined) throw new Rejection('RequestMalformed', 'the request names no secret');
  const definition = await waitOutThrottles(() => definitions.find(secret), wait);
  if (definition === undefined) {
    throw new Rejection(
      'SecretUnknown',
      `Rekey knows no secret ${JSON.stringify(secret)} in ${origin.environment}; see rekey secret list`,
    );
  }
  if (owner !== undefined && definition.owner !== owner) {
    throw new Rejection(
      'SourceNotAllowed',
      `the source of the request may ask for secrets of ${JSON.stringify(owner)}, and ${definition.name} is of ${JSON.stringify(definition.owner)}; have its owner, or somebody who answers for all, ask`,
    );
  }
  const look = async () => {
    const [{ arn, name, versions: labels }, kept] = await Promise.all([
      store.describe(definition.arn),
      store.listVersions(definition.arn),
    ]);
    // Either answer may be old, so what one of both shows counts.
    const ids = [...new Set([...kept.map(({ versionId }) => versionId), ...Object.keys(labels)])];
    return { arn, name, ids, versions: request.versions ?? ids };
  };
  const { arn, name, versions, ids } = await lookUntil(
    () => waitOutThrottles(look, wait),
    (seen) => seen.versions.some((version) => seen.ids.includes(version)),
    wait,
  );
  if (!versions.some((version) => ids.includes(version))) {
    throw new Rejection(
      'VersionsNotKept',
      `Secrets Manager keeps none of the versions ${versions.join(', ')} of ${name}; name versions that it keeps, or none for all`,
    );
  }
  return {
    requestId: id,
    correlationId,
    requestDigest: requestDigest(request),
    mode,
    secretArn: arn,
    secretName: name,
    containmentFunction: definition.containmentFunction,
    stepSeconds: definition.stepSeconds ?? usualStepSeconds,
    versions,
    named: request.versions !== undefined,
    requestedAt,
    takenAt: origin.clock.now().toISOString(),
    consumers: definition.consumers,
    assigned: assignmentOf(definition) ?? null,
    owner: definition.owner,
    ...(approval !== undefined && { approval }),
  };
}

/**
 * Publishes that the revocation has started. It runs after the start rather than before it: an emergency does not wait for its
 * record.
 */
async function announce(
  { id, correlationId, request }: Accepted,
  { secretArn, secretName, versions, requestedAt }: WorkflowInput,
  bypass: Approval['bypass'],
  { bus, origin }: IntakeDependencies,
): Promise<void> {
  const { mode, reason, incident, drill } = request;
  const links = { correlationId, causationId: id, fact: id };
  await bus.publish([
    ...bypassEvents({ id, correlationId, request }, secretName, bypass, { origin }),
    createEvent(
      origin,
      'Secret Revocation Started',
      {
        requestId: id,
        secretArn,
        secretName,
        mode,
        versions,
        reason,
        ...(incident !== undefined && { incident }),
        drill,
        requestedAt,
      },
      links,
    ),
  ]);
}

/** Makes the record that the glass was broken, where it was. */
function bypassEvents(
  { id, correlationId, request }: Pick<Accepted, 'id' | 'correlationId' | 'request'>,
  subject: string,
  bypass: Approval['bypass'],
  { origin }: Pick<IntakeDependencies, 'origin'>,
): AnyEvent[] {
  if (bypass === undefined) return [];
  const { mode: act, reason } = request;
  return [
    createEvent(
      origin,
      'Approval Bypassed',
      { requestId: id, operation: 'revocation', subject, act, ...bypass, reason },
      { correlationId, causationId: id, fact: id },
    ),
  ];
}

/** Publishes the rejection and returns the request's id. */
async function reject(
  input: unknown,
  error: ErrorSummary,
  { bus, origin }: IntakeDependencies,
): Promise<string> {
  const delivered = deliveredEventSchema.safeParse(input).data;
  const metadata = detailSchema('Secret Revocation Requested').shape.metadata.safeParse(
    delivered?.detail.metadata,
  ).data;
  const eventId = delivered?.id ?? 'unknown';
  const requestId = metadata?.id ?? eventId;
  await bus.publish([
    createEvent(
      origin,
      'Secret Revocation Rejected',
      { requestId, requestSource: delivered?.source ?? 'unknown', error },
      {
        correlationId: metadata?.correlationId ?? eventId,
        causationId: requestId,
        fact: `${eventId} ${error.code}`,
      },
    ),
  ]);
  return requestId;
}

function digestOf(input: string): string | undefined {
  try {
    const { requestDigest } = JSON.parse(input) as Partial<WorkflowInput>;
    return requestDigest;
  } catch {
    return undefined;
  }
}
