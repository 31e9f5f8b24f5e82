import type { RuleDescription, Violation } from './rule.ts';

/** Duties of people, by the names under `access` of an environment. */
export const duties = ['operators', 'responders', 'auditors', 'policyAuthors', 'approvers'] as const;
export type Duty = (typeof duties)[number];

/** Rule that nobody has two duties that exclude each other. */
export const dutiesNotSeparated = {
  id: 'DutiesNotSeparated',
  severity: 'error',
  demand: 'Nobody approves what they ask for or write, and nobody audits what they do.',
  reason:
    'Whoever holds both duties acts alone: their own request is approved, or their own work is found in order, by themselves.',
  controls: ['NIST 800-53 r5 AC-5', 'SOC 2 CC6.3', 'ISO 27001:2022 A.5.3'],
} as const satisfies RuleDescription;

/** Pairs of duties that exclude each other. */
const excluding: readonly (readonly [Duty, Duty])[] = [
  ...(['operators', 'responders', 'policyAuthors'] as const).map((duty) => ['approvers', duty] as const),
  ...(['operators', 'responders', 'policyAuthors', 'approvers'] as const).map(
    (duty) => ['auditors', duty] as const,
  ),
];

/**
 * Finds principals that have two duties that exclude each other.
 *
 * Two entries that name the same role or user, or whose `*` leave room for one that both match, are an error. An account id lets in
 * whomever its administrators allow: what it shares with another entry of the account nobody can tell from here, so it is a warning.
 * @param access - the principals of an environment by duty, as `access` of the configuration has them
 * @param path - where they stand, such as `environments.prod.access`
 * @example
 * separateDuties({ approvers: ['arn:aws:iam::111122223333:role/lead'], operators: ['111122223333'] }, 'access');
 */
export function separateDuties(
  access: Readonly<Partial<Record<Duty, readonly string[]>>>,
  path: string,
): Violation<'DutiesNotSeparated'>[] {
  return excluding.flatMap(([one, other]) =>
    (access[one] ?? []).flatMap((first) =>
      (access[other] ?? []).flatMap((second) => {
        const shared = sharedBy(first, second);
        if (shared === undefined) return [];
        const names = first === second ? first : `${first} and ${second}`;
        return {
          rule: dutiesNotSeparated.id,
          severity: shared === 'a principal' ? 'error' : 'warning',
          subject: `${path}.${one}`,
          message:
            shared === 'a principal'
              ? `${one} and ${other} let in the same principal: ${names}`
              : `${one} and ${other} let in the same account, whose administrators may give both roles to one person: ${names}`,
          fix:
            shared === 'a principal'
              ? `Name another role or group under ${path}.${one} than under ${path}.${other}.`
              : `Name roles or users in the place of the account under ${path}.${one} and ${path}.${other}.`,
        } as const;
      }),
    ),
  );
}

const isAccount = (principal: string): boolean => /^\d{12}$/.test(principal);
const accountOf = (principal: string): string =>
  isAccount(principal) ? principal : (principal.split(':')[4] ?? '');

function sharedBy(one: string, other: string): 'a principal' | 'an account' | undefined {
  if (isAccount(one) || isAccount(other)) {
    return accountOf(one) === accountOf(other) ? 'an account' : undefined;
  }
  const [first, second] = [one, other].map(nameOfSso);
  const meets =
    first !== undefined && second !== undefined && accountOf(one) === accountOf(other)
      ? meet(first, second)
      : meet(one, other);
  return meets ? 'a principal' : undefined;
}

/**
 * Reads the permission set, with the suffix, in the ARN of a role that IAM Identity Center made. Its path is a region or nothing,
 * so that this part alone tells it from others.
 * @see https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
 */
const nameOfSso = (principal: string): string | undefined =>
  /:role\/aws-reserved\/sso\.amazonaws\.com\/(?:[^/]*\/)?\*?AWSReservedSSO_([^/]+)$/.exec(principal)?.[1];

/** Tells whether some text matches both of two patterns, in which `*` stands for any text. */
function meet(one: string, other: string): boolean {
  // ways[j] tells whether the beginning of `one` so far meets the first j characters of `other`.
  let ways = Array.from({ length: other.length + 1 }, (_, length) => /^\**$/.test(other.slice(0, length)));
  for (const mine of one) {
    const next = [ways[0] === true && mine === '*'];
    for (const [index, theirs] of [...other].entries()) {
      next.push(
        mine === '*' || theirs === '*'
          ? ways[index] === true || ways[index + 1] === true || next[index] === true
          : ways[index] === true && mine === theirs,
      );
    }
    ways = next;
  }
  return ways.at(-1) === true;
}
