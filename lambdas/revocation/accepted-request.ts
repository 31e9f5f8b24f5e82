import { deliveredEventSchema } from '../../core/audit/event.ts';
import { coordinatorSource, sourceOfOwner } from '../../core/deployed/names.ts';
import type { ErrorCodeOf } from '../../core/errors/codes.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { detailSchema, type RevocationRequest } from '../../core/events/catalogue.ts';
import type { EventOrigin } from '../../core/events/create.ts';

/** The rules on who may ask for a revocation. */
export interface RequestPolicy {
  /** Values of the event's `source`. */
  readonly sources: readonly string[];
  readonly accounts: readonly string[];
  /** Age above which a request is refused. An old one may ask for what is wrong by now, and its sender may not stand by it. */
  readonly maximumAgeMs: number;
}

/** Time by which a sender's clock may run ahead of the intake's. */
const clockSkewMs = 15 * 60_000;

/** A request that must not be acted upon. It is answered with an event and an alarm, never with silence. */
export class Rejection extends RekeyError<ErrorCodeOf<'revocation' | 'approval'>> {}

/** A request that passed, with what the events about it share. */
export interface AcceptedRequest {
  readonly id: string;
  readonly correlationId: string;
  readonly requestedAt: string;
  /** Time up to which versions leaked, where none are named. Of a revocation that is tried again it is that of the first. */
  readonly takenAt: string;
  readonly request: RevocationRequest;
  /** Sender in the sender's own words. */
  readonly claimedActor: string;
  /** Owner whose secrets alone the sender may ask for. @default - all */
  readonly owner?: string;
}

/**
 * Checks what EventBridge delivered: its form, who sent it, and when.
 * @throws Rejection where it must not be acted upon
 */
export function acceptRequest(
  input: unknown,
  { policy, origin }: { readonly policy: RequestPolicy; readonly origin: EventOrigin },
): AcceptedRequest {
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
  requireItsPlace(data, source, owner);
  const now = origin.clock.now().getTime();
  requireFresh({ metadata: metadata.time, event: time }, now, policy.maximumAgeMs);
  const takenAt = takenAtOf(data, now);
  // A sender's clock may run ahead, and refusal never comes before the request. It may be behind, too, and what is tried again was
  // taken before it was asked for: by this the functions that read versions know it.
  const requestedAt = Math.max(
    Math.min(Date.parse(metadata.time), now),
    data.asOf === undefined ? 0 : Date.parse(takenAt) + 1,
  );
  return {
    id: metadata.id,
    correlationId: metadata.correlationId,
    requestedAt: new Date(requestedAt).toISOString(),
    takenAt,
    request: data,
    claimedActor: metadata.actor,
    ...(owner !== undefined && { owner }),
  };
}

/** Finds the time up to which versions leaked, by Rekey's own clock: now, or when the first try was taken. */
function takenAtOf({ asOf, chain, members }: RevocationRequest, now: number): string {
  if (asOf === undefined) return new Date(now).toISOString();
  if (chain === true || members !== undefined) {
    throw new Rejection(
      'RequestMalformed',
      `${chain === true ? 'chain' : 'members'} and asOf are both there: what a leak leads to, and which environments have it, is found at the first try; leave one of them out`,
    );
  }
  if (Date.parse(asOf) >= now) {
    throw new Rejection(
      'RequestMalformed',
      `asOf is ${asOf}, and it is ${new Date(now).toISOString()}: it must say when the first try was taken; leave it out of a first try`,
    );
  }
  return new Date(asOf).toISOString();
}

/**
 * Refuses a request that goes further than its sender may. Coordinators send parts of plans, and nothing else; the secrets of one
 * owner are those of one environment.
 */
function requireItsPlace(
  { partOf, members, memberPlans, versions, select }: RevocationRequest,
  source: string,
  owner: string | undefined,
): void {
  const isCoordinator = source === coordinatorSource;
  if ((partOf !== undefined) !== isCoordinator) {
    throw new Rejection(
      'SourceNotAllowed',
      `the source ${JSON.stringify(source)} ${isCoordinator ? 'sends parts of plans alone' : 'may not send a part of a plan'}; send the request with rekey revoke`,
    );
  }
  if (members === undefined) {
    if (memberPlans === undefined) return;
    throw new Rejection('RequestMalformed', 'memberPlans are of members: name these, too');
  }
  if (isCoordinator || owner !== undefined) {
    throw new Rejection(
      'SourceNotAllowed',
      `the source ${JSON.stringify(source)} may ask for secrets of this environment alone; leave members out, or have somebody who answers for all ask`,
    );
  }
  const named =
    'secrets' in select &&
    select.secrets.some((one) => one.versions !== undefined && !one.secret.startsWith('arn:'));
  if (versions !== undefined || named) {
    throw new Rejection(
      'RequestMalformed',
      'versions are of one secret in one environment: leave members out, or name each secret in select.secrets by its ARN',
    );
  }
}

/** Reads the owner in a source that may ask for the secrets of one owner: `rekey.cli/team-orders` where `rekey.cli` may ask. */
const ownerOf = (source: string, sources: readonly string[]): string | undefined =>
  sources.flatMap((allowed) => {
    const prefix = sourceOfOwner(allowed, '');
    return source.startsWith(prefix) && source.length > prefix.length ? [source.slice(prefix.length)] : [];
  })[0];

/**
 * Refuses a request that is too old or in the future. Both times count: the sender sets the one, and whoever puts the event on
 * the bus may set the other.
 */
export function requireFresh(
  times: { metadata: string; event: string },
  now: number,
  maximumAgeMs: number,
): void {
  for (const [name, text] of Object.entries(times)) {
    const which = name === 'metadata' ? 'metadata.time' : 'the time of the event';
    const age = now - Date.parse(text);
    if (Number.isNaN(age)) {
      throw new Rejection('RequestMalformed', `${which} is not a time`);
    }
    if (age > maximumAgeMs) {
      throw new Rejection(
        'RequestTooOld',
        `${which} is ${text}, more than ${maximumAgeMs / 3_600_000} hours ago; if what it asks for is still needed, send a new request`,
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
