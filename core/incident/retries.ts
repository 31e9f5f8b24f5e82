import type { Fact } from './fact.ts';
import { isOpen, reachOf, type SecretCourse, sameSecret } from './secret-course.ts';

/** States of a retry that did nothing, so the former revocation goes on counting. */
const undone: readonly SecretCourse['state'][] = ['requested', 'rejected', 'not approved'];

/** Gives the request that a revocation came from: its own, or that of the plan it belongs to. */
export const rootOf = ({ requestId, partOf }: SecretCourse): string => partOf ?? requestId;

/** Finds the requests that another event led to, with the id of that one. */
export const causesOf = (facts: readonly Fact[]): ReadonlyMap<string, string> =>
  new Map(
    facts.flatMap(({ detailType, requestId, causationId }) =>
      detailType === 'Secret Revocation Requested' && requestId !== undefined && causationId !== undefined
        ? [[requestId, causationId] as const]
        : [],
    ),
  );

/** Tells whether one request led to another, over however many. Senders say so, and may say it in a circle. */
export function ledTo(cause: string, request: string, causes: ReadonlyMap<string, string>): boolean {
  const seen = new Set<string>();
  for (let one = causes.get(request); one !== undefined && !seen.has(one); one = causes.get(one)) {
    if (one === cause) return true;
    seen.add(one);
  }
  return false;
}

/**
 * Marks the revocations that were tried again. A retry is a later request that the former one led to, about the same secret and
 * no fewer versions. It counts in the place of the former, whether it is under way, failed too, or proved what was open.
 */
export function markRetried(
  courses: readonly SecretCourse[],
  causes: ReadonlyMap<string, string>,
): readonly SecretCourse[] {
  return courses.map((course) => {
    if (!['failed', 'unproven'].includes(course.state) || !isOpen(course)) return course;
    const by = courses.find((later) => isRetry(later, course, causes));
    return by === undefined ? course : { ...course, retriedBy: by.requestId };
  });
}

function isRetry(later: SecretCourse, course: SecretCourse, causes: ReadonlyMap<string, string>): boolean {
  if (later.requestedAt <= course.requestedAt || undone.includes(later.state)) return false;
  if (!sameSecret(later, course) || later.drill !== course.drill) return false;
  return ledTo(rootOf(course), rootOf(later), causes) && coversAll(later, course);
}

/**
 * Tells whether a retry is about every version that the former revocation was about. One that the former request named must be
 * tried; where it named none, Secrets Manager may have dropped some meanwhile.
 */
function coversAll(later: SecretCourse, course: SecretCourse): boolean {
  if (course.versions !== undefined) {
    return course.versions.every(
      (version) =>
        later.versions?.includes(version) === true && (course.ofAll || !later.unavailable.includes(version)),
    );
  }
  return later.versions === undefined && later.ofAll && (later.takenAt ?? 0) >= reachOf(course);
}

/** Secrets of one former request that are to be tried again. */
export interface Retry {
  /** Id of the former request. */
  readonly requestId: string;
  readonly secrets: readonly SecretCourse[];
}

/**
 * Lists the secrets that can be tried again, by former request: those that failed or stayed unproven, and are open.
 * @param only - names or ARNs of the secrets that are meant; empty for all
 */
export function retriesOf(courses: readonly SecretCourse[], only: readonly string[] = []): readonly Retry[] {
  const wanted = courses.filter(
    (course) =>
      isOpen(course) &&
      ['failed', 'unproven'].includes(course.state) &&
      (only.length === 0 || isNamed(course, only)),
  );
  return [...Map.groupBy(wanted, rootOf)].map(([requestId, secrets]) => ({ requestId, secrets }));
}

/** Tells whether a secret is one of those that were named, by its name or its ARN. */
export const isNamed = ({ secretName, secretArn }: SecretCourse, names: readonly string[]): boolean =>
  names.includes(secretName) || (secretArn !== undefined && names.includes(secretArn));
