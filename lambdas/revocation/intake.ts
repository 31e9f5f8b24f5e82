import type { ApprovalStore } from '../../core/approval/store.ts';
import { deliveredEventSchema } from '../../core/audit/event.ts';
import { usualStepSeconds } from '../../core/deployed/limits.ts';
import { requestDigest } from '../../core/deployed/revocation-request.ts';
import type { PlanInput, WorkflowInput } from '../../core/deployed/revocation-state.ts';
import { type ErrorSummary, SecretError, summarizeError } from '../../core/errors/rekey-error.ts';
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
import { type AcceptedRequest, acceptRequest, Rejection, type RequestPolicy } from './accepted-request.ts';

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

/** Characters of a reason that a second person is shown. */
const longestReason = 1_024;

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
    const accepted = acceptRequest(input, dependencies);
    const approval = await approvalOf(accepted, dependencies);
    const secret = secretAlone(accepted.request);
    const running =
      secret === undefined
        ? await startPlan(accepted, approval, dependencies)
        : await startOne(secret, accepted, approval, dependencies);
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

/** Gives the one secret that a request is about; undefined where only a plan can say how many. */
const secretAlone = ({ select, chain, members, partOf }: RevocationRequest): string | undefined =>
  chain === true || members !== undefined || partOf !== undefined ? undefined : soleSecret(select);

/** Starts the revocation of one secret, and announces it. */
async function startOne(
  secret: string,
  accepted: AcceptedRequest,
  approval: Approval,
  dependencies: IntakeDependencies,
) {
  const workflow = await prepare(secret, accepted, approval.wait, dependencies);
  const running = await startOnce(dependencies.starter, accepted.id, workflow, dependencies);
  await announce(accepted, workflow, approval.bypass, dependencies);
  return running;
}

/** Starts the workflow that plans the revocation of several secrets, and announces what it finds. */
async function startPlan(
  { id, correlationId, requestedAt, takenAt, request, owner }: AcceptedRequest,
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
    takenAt,
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

/**
 * Finds out whether a second person must approve. An emergency goes on without one where the sender says so: who that is may be
 * unproven, since STS may be away, too.
 */
async function approvalOf(
  { id, request, claimedActor }: AcceptedRequest,
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
  // Whoever decides sees that newer versions stay.
  const again = request.asOf === undefined ? '' : `tried again, versions up to ${request.asOf} only: `;
  return { wait: { author, reason: `${again}${request.reason}`.slice(0, longestReason) } };
}

async function prepare(
  secret: string,
  { id, correlationId, requestedAt, takenAt, request, owner }: AcceptedRequest,
  approval: Approval['wait'],
  { definitions, store, origin, wait }: IntakeDependencies,
): Promise<WorkflowInput> {
  const { mode } = request;
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
    const until = request.asOf === undefined ? Number.POSITIVE_INFINITY : Date.parse(request.asOf);
    const later = new Set(
      kept.flatMap(({ versionId, created }) => (Number(created) > until ? versionId : [])),
    );
    return { arn, name, ids, versions: request.versions ?? ids.filter((one) => !later.has(one)) };
  };
  const { arn, name, versions, ids } = await lookUntil(
    () => waitOutThrottles(look, wait),
    (seen) => seen.versions.some((version) => seen.ids.includes(version)),
    wait,
  );
  if (!versions.some((version) => ids.includes(version))) {
    throw new Rejection(
      'VersionsNotKept',
      `Secrets Manager keeps none of the versions ${versions.join(', ') || `up to ${request.asOf}`} of ${name}; name versions that it keeps, or none for all`,
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
    named: request.versions !== undefined && request.asOf === undefined,
    requestedAt,
    takenAt,
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
  { id, correlationId, request }: AcceptedRequest,
  { secretArn, secretName, versions, requestedAt, takenAt }: WorkflowInput,
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
        ...(typeof takenAt === 'string' && { takenAt }),
      },
      links,
    ),
  ]);
}

/** Makes the record that the glass was broken, where it was. */
function bypassEvents(
  { id, correlationId, request }: Pick<AcceptedRequest, 'id' | 'correlationId' | 'request'>,
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
