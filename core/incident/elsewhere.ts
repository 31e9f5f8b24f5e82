import { type Fact, timeOf } from './fact.ts';

/** A secret of another environment, as its part in the coordinator's log tells of it. */
export interface SecretElsewhere {
  readonly secretName: string;
  readonly outcome: string;
  /** Time at which the leaked credential was seen to be refused. */
  readonly refusedAt?: number;
  /** Code of the error of one that failed. */
  readonly error?: string;
}

/** The part that an environment elsewhere has in a plan. Its own audit log holds the records of it. */
export interface PartElsewhere {
  /** Id of the coordinator's request. */
  readonly requestId: string;
  readonly member: string;
  readonly environment: string;
  readonly account: string;
  readonly region: string;
  /** Id of the request that was sent there; absent until its part has ended. */
  readonly memberRequestId?: string;
  /** End of the part; absent while nothing tells of it. */
  readonly outcome?: string;
  /** Number of secrets that were planned there. */
  readonly planned?: number;
  /** Code of the error where it could not be asked for its plan. */
  readonly unreachable?: string;
  readonly secrets: readonly SecretElsewhere[];
}

type Members = Readonly<Record<string, unknown>>;

const objectsIn = (value: unknown): readonly Members[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Reads the parts of a plan that are of environments elsewhere, by the names of these. */
export function partsElsewhere(requestId: string, facts: readonly Fact[]): readonly PartElsewhere[] {
  const parts = new Map<string, PartElsewhere>();
  const of = (type: string) => facts.filter(({ detailType }) => detailType === type);
  for (const told of of('Revocation Planned').flatMap(({ recorded }) => objectsIn(recorded.data.members))) {
    const place = placeOf(requestId, told);
    const { secrets: planned } = told;
    const unreachable = text(told.unreachable);
    if (place === undefined) continue;
    parts.set(place.member, {
      ...place,
      ...(typeof planned === 'number' && { planned }),
      ...(unreachable !== undefined && { unreachable }),
      secrets: [],
    });
  }
  for (const { recorded } of of('Revocation Member Concluded')) {
    const place = placeOf(requestId, recorded.data);
    if (place === undefined) continue;
    const [memberRequestId, outcome] = [recorded.text('memberRequestId'), recorded.text('outcome')];
    parts.set(place.member, {
      ...parts.get(place.member),
      ...place,
      ...(memberRequestId !== undefined && { memberRequestId }),
      ...(outcome !== undefined && { outcome }),
      secrets: objectsIn(recorded.data.secrets).flatMap(secretOf),
    });
  }
  return [...parts.values()];
}

function placeOf(requestId: string, told: Members) {
  const member = text(told.member);
  if (member === undefined) return undefined;
  const [environment, account, region] = [told.environment, told.account, told.region].map(
    (one) => text(one) ?? 'unknown',
  ) as [string, string, string];
  return { requestId, member, environment, account, region };
}

function secretOf(told: Members): SecretElsewhere[] {
  const [secretName, outcome, error] = [text(told.secretName), text(told.outcome), text(told.error)];
  if (secretName === undefined || outcome === undefined) return [];
  const refusedAt = timeOf(told.refusedAt);
  return [
    {
      secretName,
      outcome,
      ...(refusedAt !== undefined && { refusedAt }),
      ...(error !== undefined && { error }),
    },
  ];
}

/** The parts elsewhere that still need something, or may do so. */
export interface PartsLeft {
  readonly underWay: readonly PartElsewhere[];
  /** Parts that ended otherwise, or of which the conclusion tells nothing. */
  readonly open: readonly PartElsewhere[];
}

/** Finds the parts elsewhere that leave something to people, but for those that somebody has looked after since. */
export function partsLeft({
  elsewhere,
  plans,
  tasks,
}: {
  readonly elsewhere: readonly PartElsewhere[];
  readonly plans: readonly { readonly requestId: string; readonly outcome?: string }[];
  readonly tasks: readonly {
    readonly requestId: string;
    readonly via?: string;
    readonly doneAt?: number;
  }[];
}): PartsLeft {
  const left = elsewhere.filter((part) => {
    const { requestId, member, outcome, planned, unreachable } = part;
    if (outcome === undefined) return planned !== 0 || unreachable !== undefined;
    const own = tasks.filter((task) => task.requestId === requestId && task.via === member);
    const isDone = own.length > 0 && own.every(({ doneAt }) => doneAt !== undefined);
    return outcome !== 'proven' && outcome !== 'none' && !isDone;
  });
  const ends = new Map(plans.map(({ requestId, outcome }) => [requestId, outcome]));
  const isUnderWay = ({ requestId, outcome }: PartElsewhere) =>
    outcome === undefined && ends.get(requestId) === undefined;
  return {
    underWay: left.filter(isUnderWay),
    // A plan that was rejected had nothing done anywhere.
    open: left.filter((part) => !isUnderWay(part) && ends.get(part.requestId) !== 'rejected'),
  };
}
