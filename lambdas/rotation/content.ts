import { isDeepStrictEqual } from 'node:util';
import type { Bounds, Rotator } from '../../core/rotator.ts';
import { pairOf } from '../../core/secret/alternating-users.ts';
import { contentDigest, type SecretContent } from '../../core/secret/definition.ts';
import type { Strategy } from '../../core/secret/secret.ts';
import { isFirstValue, type SecretJson } from './secret-value.ts';

/** The part of a type that decides what of a definition may go into its secrets. */
export interface ContentRules<S extends object> {
  readonly rotator: Pick<Rotator<S>, 'schema' | 'credentialKeys' | 'boundTo'>;
  readonly strategy: Strategy;
}

/**
 * Gives the values of a secret's tag for a content that its JSON has taken over. `whole`: it has taken over all of it. `bounded`:
 * all but what it is bound to.
 */
export const contentMarks = (content: SecretContent): { whole: string; bounded: string } => {
  const digest = contentDigest(content);
  return { whole: digest, bounded: `${digest}-but-bounds` };
};

/** A JSON with the content of a definition in it. */
export interface Merged {
  readonly json: SecretJson;
  /** Keys that bind the credential and that now say something else. The credential does not work there yet. */
  readonly moved: readonly string[];
}

/**
 * Writes the content of a definition into a secret's JSON. The credential and keys that the content does not name stay. Of two
 * users who take turns, the one that is in use stays. `masterarn` is the definition's alone: without one it goes.
 *
 * @param json - fits the schema of its type, or is a {@link isFirstValue}
 * @param only - `bounds`: writes nothing but what binds the credential and the admin secret
 * @returns undefined when the result would not fit the schema of its type
 */
export function merge<S extends object>(
  json: SecretJson,
  content: SecretContent,
  rules: ContentRules<S>,
  only: 'everything' | 'bounds' = 'everything',
): Merged | undefined {
  const { schema, credentialKeys, boundTo } = rules.rotator;
  if (isFirstValue(json)) {
    const first = { ...wantedOf(content), password: json.password };
    return schema.safeParse(first).success ? { json: first, moved: [] } : undefined;
  }
  const before = schema.parse(json);
  const bounds = boundTo(before);
  const untouched = new Set(['masterarn', ...credentialKeys(before)]);
  const wanted = Object.entries(wantedOf(content)).filter(
    ([key]) => !untouched.has(key) && (only === 'everything' || Object.hasOwn(bounds, key)),
  );
  const { masterarn: _, ...kept } = json;
  const merged: SecretJson = {
    ...kept,
    ...Object.fromEntries(wanted),
    ...(content.masterarn !== undefined && { masterarn: content.masterarn }),
  };
  if (rules.strategy === 'alternating-users' && sameTurn(merged.username, json.username)) {
    merged.username = json.username;
  }
  const parsed = schema.safeParse(merged);
  return parsed.success ? { json: merged, moved: differences(bounds, boundTo(parsed.data)) } : undefined;
}

const wantedOf = ({ fields, masterarn }: SecretContent): SecretJson => ({
  ...fields,
  ...(masterarn !== undefined && { masterarn }),
});

/** Gives these keys the values, or the absence, that they have in another JSON. */
function withKeysOf(json: SecretJson, from: SecretJson, keys: Iterable<string>): SecretJson {
  const result = { ...json };
  for (const key of keys) {
    if (Object.hasOwn(from, key)) result[key] = from[key];
    else delete result[key];
  }
  return result;
}

/**
 * Gives the current JSON as the pending one leaves it but for the credential. The two differ in other keys only because of the
 * definition, or because the current one is a first value, which says nothing of its own.
 * @param json - the current one
 */
export function withoutContent<S extends object>(
  json: SecretJson,
  next: S,
  { rotator, strategy }: ContentRules<S>,
): SecretJson {
  const pending = next as SecretJson;
  const issued = rotator.credentialKeys(next);
  if (isFirstValue(json)) {
    const { username } = pending;
    return {
      ...withKeysOf(pending, json, [...issued, 'password']),
      ...(strategy === 'alternating-users' &&
        typeof username === 'string' && { username: partnerOf(username) }),
    };
  }
  const current = rotator.schema.parse(json);
  return withKeysOf(pending, json, [
    ...issued,
    ...rotator.credentialKeys(current),
    ...Object.keys(rotator.boundTo(current)),
  ]);
}

/** Gives a JSON that goes on where it is. `masterarn` is of the same place as what binds the credential. */
export const staying = (
  { json, moved }: Merged,
  from: SecretJson,
  { masterarn }: Pick<SecretContent, 'masterarn'>,
): SecretJson =>
  moved.length === 0
    ? json
    : withKeysOf(json, from, masterarn === undefined ? moved : [...moved, 'masterarn']);

/** Lists keys by which the second credential is bound to something else than the first. Two users who take turns count as one. */
export function apart<S extends object>(one: S, other: S, { rotator, strategy }: ContentRules<S>): string[] {
  const { username } = one as SecretJson;
  const found = differences(rotator.boundTo(one), rotator.boundTo(other));
  return strategy === 'alternating-users' && sameTurn(username, (other as SecretJson).username)
    ? found.filter((key) => key !== 'username')
    : found;
}

/**
 * Lists keys by which a credential would be bound to something else. TLS that is demanded where nothing was said before takes a
 * credential nowhere else.
 */
export const differences = (one: Bounds, other: Bounds): string[] =>
  Object.keys({ ...one, ...other }).filter(
    (key) => one[key] !== other[key] && !(key === 'ssl' && one[key] === 'unsaid' && other[key] === 'tls'),
  );

function sameTurn(one: unknown, other: unknown): boolean {
  return typeof one === 'string' && typeof other === 'string' && pairOf(one).base === pairOf(other).base;
}

function partnerOf(username: string): string {
  const { base, clone } = pairOf(username);
  return username === base ? clone : base;
}

/**
 * Chooses the mark that a JSON deserves: it holds all that a content says, or all but what binds it. Undefined when the content
 * has not been written into it.
 */
export function markOf<S extends object>(
  json: SecretJson,
  content: SecretContent,
  rules: ContentRules<S>,
  tag: string | undefined,
): string | undefined {
  const { whole, bounded } = contentMarks(content);
  if (tag === whole) return whole;
  const merged = merge(json, content, rules, tag === bounded ? 'bounds' : 'everything');
  if (merged === undefined) return undefined;
  if (!isDeepStrictEqual(staying(merged, json, content), json)) return undefined;
  return merged.moved.length === 0 ? whole : bounded;
}
