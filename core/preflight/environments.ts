import { environmentTag } from '../deployed/names.ts';

/** Names under which people know the same environment. */
const groups: readonly (readonly string[])[] = [
  ['dev', 'develop', 'development'],
  ['test', 'testing'],
  ['qa', 'uat'],
  ['int', 'integration'],
  ['stage', 'staging'],
  ['preprod', 'pre-prod', 'preproduction'],
  ['prod', 'production', 'prd', 'live'],
  ['sandbox'],
];

/** Names that count as environments wherever they stand. */
export const usualEnvironments: readonly string[] = groups.flat();

/** Tells whether two names are of one environment, such as `prod` and `production`. */
export function sameEnvironment(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a === b || groups.some((group) => group.includes(a) && group.includes(b));
}

/** Tags by which secrets are told to belong to an environment. Rekey's own counts first. */
const tags = [environmentTag, 'environment', 'env', 'stage'];

/** An environment that a secret belongs to, and what says so. */
export interface Belonging {
  readonly environment: string;
  readonly by: string;
}

/** Finds the environment that tags name. */
export function environmentByTags(
  of: Readonly<Record<string, string>>,
  known: ReadonlySet<string>,
): Belonging | undefined {
  for (const tag of tags) {
    const [name, value] = Object.entries(of).find(([one]) => one.toLowerCase() === tag) ?? [];
    if (name === undefined || value === undefined || value === '') continue;
    // Only Rekey's tag holds nothing but environments.
    if (tag !== environmentTag && !known.has(value.toLowerCase())) continue;
    return { environment: value, by: `its tag ${name}` };
  }
  return undefined;
}

/** Finds the environment that the first segment of a name names: `/prod/orders/db`, `prod/orders`. */
export function environmentByName(name: string, known: ReadonlySet<string>): Belonging | undefined {
  const [, segment] = /^\/?([^/]+)\//.exec(name) ?? [];
  return segment !== undefined && known.has(segment.toLowerCase())
    ? { environment: segment, by: 'the first segment of its name' }
    : undefined;
}

/** Gives the name in an ARN, with the six random characters at its end, which may be part of it. */
export const nameIn = (id: string): string => (id.startsWith('arn:') ? id.split(':').slice(6).join(':') : id);

/** Gives the names that an id may stand for; the end of an ARN may be its random suffix. */
export function namesOf(id: string): readonly string[] {
  const name = nameIn(id);
  const without = id.startsWith('arn:') ? /^(.+)-[A-Za-z0-9]{6}$/.exec(name)?.[1] : undefined;
  return [...(without === undefined ? [] : [without]), name];
}

/**
 * Tells whether a manifest is for another environment than the deploy is. It is only said of two names that are both known;
 * `eu-1` of GitHub may well be somebody's `prod`.
 */
export const isForOther = (
  manifest: string | undefined,
  environment: string | undefined,
  known: ReadonlySet<string>,
): boolean =>
  manifest !== undefined &&
  environment !== undefined &&
  known.has(manifest.toLowerCase()) &&
  known.has(environment.toLowerCase()) &&
  !sameEnvironment(manifest, environment);
