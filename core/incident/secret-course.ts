import type { ReportedError } from '../errors/rekey-error.ts';
import { selectionSchema, selectionText } from '../revocation/selection.ts';
import type { Fact } from './fact.ts';
import { timeOf } from './fact.ts';

/** State of one secret in an incident. */
export type SecretState =
  | 'requested'
  | 'waiting for approval'
  | 'under way'
  | 'revoked'
  | 'unproven'
  | 'failed'
  | 'rejected'
  | 'not approved';

/** A credential that was cut off at its target, or was not. */
export interface CutOff {
  /** The login at the target: a user name, a key id. */
  readonly identity: string;
  readonly loginsRefused: boolean;
  readonly sessionsEnded?: number;
  readonly note?: string;
}

/** The course of one revocation of one secret. Times are in milliseconds since 1970; one that is missing has not come. */
export interface SecretCourse {
  readonly requestId: string;
  /** The name, or how the request called it. */
  readonly secretName: string;
  readonly secretArn?: string;
  readonly mode?: string;
  readonly reason?: string;
  readonly drill: boolean;
  /** Versions that were to be revoked; absent where the records do not list them. */
  readonly versions?: readonly string[];
  /** True where it was about all versions that were kept. */
  readonly ofAll: boolean;
  /** Time up to which versions leaked where none are named, by Rekey's own clock. */
  readonly takenAt?: number;
  /** Id of the request whose plan it belongs to. */
  readonly partOf?: string;
  readonly correlationId?: string;
  /** Versions that the target was seen to refuse in the proof. */
  readonly refused: readonly string[];
  readonly state: SecretState;
  /** Id of what made up for this revocation: a later one of the same secret, or a task on it. */
  readonly settledBy?: string;
  /** Id of the revocation that tries the same again. It counts in the place of this one, however it ends. */
  readonly retriedBy?: string;
  readonly requestedAt: number;
  /** Time at which the target was seen to refuse every leaked credential. */
  readonly containedAt?: number;
  readonly rotatedAt?: number;
  /** Time at which the proof was complete. */
  readonly provenAt?: number;
  readonly endedAt?: number;
  readonly cutOffs: readonly CutOff[];
  readonly newVersionId?: string;
  /** Versions that could not be tried. */
  readonly unavailable: readonly string[];
  readonly owner?: string;
  /** Task that an unproven revocation leaves to a person. */
  readonly note?: string;
  readonly stage?: string;
  readonly error?: ReportedError;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const texts = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined;

/** Says in words which secrets a request chose. */
export function selectionOf(select: unknown): string {
  const parsed = selectionSchema.safeParse(select);
  return parsed.success ? selectionText(parsed.data) : 'not said';
}

/** Reads the cut-offs that an event tells of. */
export function cutOffsIn({ recorded: { data } }: Fact): readonly CutOff[] {
  if (!Array.isArray(data.containments)) return [];
  return data.containments.filter(isObject).map(({ identity, loginsRefused, sessionsEnded, note }) => ({
    identity: typeof identity === 'string' ? identity : 'not named',
    loginsRefused: loginsRefused === true,
    ...(typeof sessionsEnded === 'number' && { sessionsEnded }),
    ...(typeof note === 'string' && { note }),
  }));
}

/** A proof counts more than its absence, and that more than a failure, whichever was recorded last. */
const ends = {
  'Secret Revocation Succeeded': 'revoked',
  'Secret Revocation Unproven': 'unproven',
  'Secret Revocation Failed': 'failed',
} as const;

/**
 * Reads the course of one secret.
 * @param facts - the facts of its request, in order, and those of the rotation that it asked for
 */
export function secretCourse(requestId: string, facts: readonly Fact[]): SecretCourse {
  const first = (...types: readonly string[]) => facts.find(({ detailType }) => types.includes(detailType));
  const said = (name: string): string | undefined =>
    facts.map(({ recorded }) => recorded.text(name)).find((value) => value !== undefined);
  const request = first('Secret Revocation Requested');
  const started = first('Secret Revocation Started');
  const end = Object.keys(ends)
    .map((type) => first(type))
    .find((fact) => fact !== undefined);
  const data = end?.recorded.data ?? {};
  const requestedAt =
    facts.map(({ recorded }) => timeOf(recorded.data.requestedAt)).find((time) => time !== undefined) ??
    request?.at ??
    facts[0]?.at ??
    0;
  const state = stateOf(facts, end);
  const cutOffs =
    [...facts]
      .reverse()
      .map(cutOffsIn)
      .find((found) => found.length > 0) ?? [];
  const containedAt =
    state === 'failed' ? containedTime(facts) : (timeOf(data.refusedAt) ?? containedTime(facts));
  const rotatedAt = first('Secret Rotation Succeeded')?.at;
  const provenAt = state === 'revoked' ? (timeOf(data.completedAt) ?? end?.at) : undefined;
  const endedAt = end === undefined ? undefined : (timeOf(data.completedAt) ?? end.at);
  const [secretArn, mode, reason] = [said('secretArn'), said('mode'), said('reason')];
  const listed = texts(started?.recorded.data.versions);
  // A plan announces a secret with an empty list where all of its versions are meant.
  const versions = listed?.length === 0 ? undefined : listed;
  const tried = request?.recorded.data;
  const ofAll =
    listed?.length === 0 ||
    (tried !== undefined && (texts(tried.versions) === undefined || tried.asOf !== undefined));
  const takenAt = timeOf(started?.recorded.data.takenAt) ?? started?.at;
  const correlationId = (request ?? started)?.correlationId;
  const partOf = facts.find((fact) => fact.partOf !== undefined)?.partOf;
  const [newVersionId, owner] = [said('newVersionId'), said('owner')];
  const note = state === 'unproven' ? end?.recorded.text('note') : undefined;
  const stage = state === 'failed' ? end?.recorded.text('stage') : undefined;
  const error = end?.recorded.error ?? first('Secret Revocation Rejected')?.recorded.error;
  const after = (time: number): number => Math.max(time, requestedAt);
  return {
    requestId,
    secretName: said('secretName') ?? selectionOf(request?.recorded.data.select),
    drill: facts.some(({ recorded }) => recorded.data.drill === true),
    state,
    requestedAt,
    cutOffs,
    ofAll,
    refused: refusedIn(data.verifications),
    unavailable: texts(data.unavailableVersions) ?? [],
    ...(secretArn !== undefined && { secretArn }),
    ...(mode !== undefined && { mode }),
    ...(reason !== undefined && { reason }),
    ...(versions !== undefined && { versions }),
    ...(takenAt !== undefined && { takenAt }),
    ...(partOf !== undefined && { partOf }),
    ...(correlationId !== undefined && { correlationId }),
    ...(containedAt !== undefined && { containedAt: after(containedAt) }),
    ...(rotatedAt !== undefined && { rotatedAt: after(rotatedAt) }),
    ...(provenAt !== undefined && { provenAt: after(provenAt) }),
    ...(endedAt !== undefined && { endedAt: after(endedAt) }),
    ...(newVersionId !== undefined && { newVersionId }),
    ...(owner !== undefined && { owner }),
    ...(note !== undefined && { note }),
    ...(stage !== undefined && { stage }),
    ...(error !== undefined && state !== 'revoked' && { error }),
  };
}

/** Lists the versions that a proof saw refused. */
const refusedIn = (verifications: unknown): readonly string[] =>
  (Array.isArray(verifications) ? verifications : [])
    .filter(isObject)
    .flatMap(({ versionId, outcome }) =>
      typeof versionId === 'string' && outcome === 'rejected' ? versionId : [],
    );

/** Finds when all logins were first refused, by the containment alone. */
const containedTime = (facts: readonly Fact[]): number | undefined =>
  facts.find(
    (fact) =>
      fact.detailType === 'Credential Contained' &&
      cutOffsIn(fact).length > 0 &&
      cutOffsIn(fact).every(({ loginsRefused }) => loginsRefused),
  )?.at;

function stateOf(facts: readonly Fact[], end: Fact | undefined): SecretState {
  if (end !== undefined) {
    const state = ends[end.detailType as keyof typeof ends];
    const refused =
      state === 'failed' &&
      end.recorded.text('stage') === 'approval' &&
      end.recorded.error?.code === 'ApprovalRefused';
    return refused ? 'not approved' : state;
  }
  const has = (...types: readonly string[]) => facts.some(({ detailType }) => types.includes(detailType));
  const acted = has('Credential Contained', 'Secret Rotation Started', 'Secret Rotation Succeeded');
  if (
    !acted &&
    has('Approval Requested') &&
    !has('Approval Granted', 'Approval Refused', 'Approval Expired')
  ) {
    return 'waiting for approval';
  }
  if (acted || has('Secret Revocation Started')) return 'under way';
  const rejected = facts.find(({ detailType }) => detailType === 'Secret Revocation Rejected');
  if (rejected === undefined) return 'requested';
  return rejected.recorded.error?.code === 'ApprovalRefused' ? 'not approved' : 'rejected';
}

/** States in which a secret leaves nothing to do. */
const settled: readonly SecretState[] = ['revoked', 'not approved'];

/** Tells whether a secret keeps its incident open. */
export const isOpen = ({ state, settledBy, retriedBy }: SecretCourse): boolean =>
  !settled.includes(state) && settledBy === undefined && retriedBy === undefined;

/** Tells whether something still goes on by itself. */
export const isUnderWay = ({ state }: SecretCourse): boolean =>
  state === 'requested' || state === 'under way' || state === 'waiting for approval';

/** Tells whether two revocations are of one secret, by its name or its ARN. */
export const sameSecret = (a: SecretCourse, b: SecretCourse): boolean => {
  const names = [a.secretName, a.secretArn];
  return [b.secretName, b.secretArn].some((name) => name !== undefined && names.includes(name));
};

/**
 * Notes which revocations a later one of the same secret made up for. It must have proven each version that the earlier one was
 * about; of one that was rejected, it must have begun.
 */
export const settle = (courses: readonly SecretCourse[]): readonly SecretCourse[] =>
  courses.map((course) => {
    if (!isOpen(course) || isUnderWay(course)) return course;
    const by = courses.find((later) => later.requestedAt > course.requestedAt && makesUpFor(later, course));
    return by === undefined ? course : { ...course, settledBy: by.requestId };
  });

/** Gives the time up to which versions leaked, of a revocation of all of them. */
export const reachOf = ({ takenAt, requestedAt }: SecretCourse): number => takenAt ?? requestedAt;

function makesUpFor(later: SecretCourse, course: SecretCourse): boolean {
  if (!sameSecret(later, course) || later.drill !== course.drill) return false;
  if (course.state === 'rejected') return later.state !== 'rejected' && later.state !== 'requested';
  if (later.state !== 'revoked') return false;
  if (course.versions === undefined) {
    return course.ofAll && later.ofAll && later.unavailable.length === 0 && reachOf(later) >= reachOf(course);
  }
  const tried = later.versions ?? later.refused;
  return course.versions.every((version) => tried.includes(version) && !later.unavailable.includes(version));
}
