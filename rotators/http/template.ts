import type { z } from 'zod';

/**
 * Texts of recipes hold `{{name}}`. A parameter or a key of the credential stands by its own name, `{{admin.name}}` is a field of
 * the admin secret, and `{{rekey.name}}` and its like are what Rekey adds. Nothing else is evaluated.
 */

export type Json = z.core.util.JSONType;
/** Values that may stand in a template, by name. A name with the value undefined is known, but has no value here. */
export type Values = ReadonlyMap<string, Json | undefined>;

const variable = /\{\{([^{}]*)\}\}/g;
const aVariable = /^\{\{([^{}]*)\}\}$/;

/** The error of a template that names something without a value. Recipes are checked, so it is the secret that lacks it. */
export class ValueMissing extends Error {
  readonly variable: string;

  constructor(name: string) {
    super('value missing');
    this.variable = name;
  }
}

/** Lists the names in a text, in order. */
export const variablesOf = (template: string): string[] =>
  [...template.matchAll(variable)].map(([, name = '']) => name);

/** Fills a text. `encode` makes each value fit where it stands. */
export function fill(
  template: string,
  values: Values,
  encode: (value: string) => string = (value) => value,
): string {
  return template.replaceAll(variable, (_match, name: string) => encode(asText(required(name, values))));
}

/** The error of a value that would change where a URL leads. */
export class UrlUnfit extends Error {}

/**
 * Fills a URL. Each value is percent-encoded, so it stays within the path segment or query value that it stands in. Host names
 * stay as they are.
 * @throws ValueMissing, UrlUnfit
 */
export function fillUrl(template: string, values: Values): URL {
  const { host, rest } = urlParts(template);
  const filledHost = fill(host, values);
  const filledRest = fill(rest, values, encodeURIComponent);
  const text = `https://${filledHost}${filledRest.startsWith('/') ? '' : '/'}${filledRest}`;
  const url = URL.parse(text);
  const path = filledRest.split(/[?#]/)[0] ?? '';
  // The parser resolves segments such as `..`, encoded or not, and takes what stands before an @ for a user.
  if (url === null || url.pathname !== (path || '/') || !sameHost(url.host, filledHost)) throw new UrlUnfit();
  return url;
}

const sameHost = (parsed: string, given: string): boolean =>
  parsed === given.toLowerCase() || `${parsed}:443` === given.toLowerCase();

/** Splits a URL template in two: host with port, and what follows. */
export function urlParts(template: string): { readonly host: string; readonly rest: string } {
  const after = template.slice('https://'.length);
  const end = after.search(/[/?#]/);
  return end === -1 ? { host: after, rest: '/' } : { host: after.slice(0, end), rest: after.slice(end) };
}

/** Fills the texts of a JSON document. Fields whose text is one name alone that has no value are left out. */
export function fillJson(template: Json, values: Values): Json {
  if (typeof template === 'string') {
    const alone = aVariable.exec(template)?.[1];
    return alone === undefined ? fill(template, values) : required(alone, values);
  }
  if (Array.isArray(template)) return template.map((item) => fillJson(item, values));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(
    Object.entries(template)
      .filter(([, value]) => !isLeftOut(value, values))
      .map(([key, value]) => [key, fillJson(value, values)]),
  );
}

/** Fills a form. Fields whose text is one name alone that has no value are left out. */
export function fillForm(template: Readonly<Record<string, string>>, values: Values): string {
  const form = new URLSearchParams();
  for (const [key, value] of Object.entries(template)) {
    if (!isLeftOut(value, values)) form.append(key, fill(value, values));
  }
  return form.toString();
}

/** Tells whether a text is one name alone that is known and has no value here. */
export function isLeftOut(template: Json, values: Values): boolean {
  const alone = typeof template === 'string' ? aVariable.exec(template)?.[1] : undefined;
  return alone !== undefined && values.has(alone) && values.get(alone) === undefined;
}

function required(name: string, values: Values): Json {
  const value = values.get(name);
  if (value === undefined) throw new ValueMissing(name);
  return value;
}

/** Writes a value as text. Lists are written with spaces between, as OAuth scopes are. */
function asText(value: Json): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(' ');
  return JSON.stringify(value);
}

/** Yields every text in a JSON document, with its path. */
export function* textsIn(
  json: Json | undefined,
  path: readonly (string | number)[],
): Generator<[readonly (string | number)[], string]> {
  if (typeof json === 'string') {
    yield [path, json];
  } else if (typeof json === 'object' && json !== null) {
    for (const [key, value] of Object.entries(json)) yield* textsIn(value, [...path, key]);
  }
}
