import * as z from 'zod';
import { SecretError } from '../../core/errors/rekey-error.ts';
import type { Bounds } from '../../core/rotator.ts';
import { commonSecretFields } from '../../core/secret/secret.ts';
import type { Parameter, Recipe } from './recipe.ts';
import type { Recipes } from './recipe-book.ts';
import { hostParameters } from './recipe-rules.ts';
import type { Json } from './template.ts';
import { endOf } from './time.ts';

/**
 * The JSON of an API credential, or of the admin of a service. The recipe says which further keys there are. Keys that it does
 * not know survive.
 */
export interface HttpSecret {
  readonly [key: string]: unknown;
  /** The recipe of a credential. */
  readonly recipe?: string | undefined;
  /** The service of an admin secret; one that is rotated itself is known by its recipe. */
  readonly service?: string | undefined;
  readonly masterarn?: string | null | undefined;
  /** The name that Rekey gave the credential at the service. */
  readonly createdAs?: string | undefined;
  /** Time at which the credential ends; in an admin secret, the one that it holds. */
  readonly expiresAt?: unknown;
}

const longestValue = 16_384;
const hostPattern = /^(?=.{1,253}(?::\d{1,5})?$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/;

/**
 * Makes the schema of secrets for the given recipes. It holds whatever a recipe says of its secret, by the path that is wrong.
 */
export function secretSchema(recipes: Recipes): z.ZodType<HttpSecret> {
  return z
    .looseObject({
      recipe: z.string().optional(),
      service: z.string().optional(),
      createdAs: z.string().optional(),
      ...commonSecretFields,
    })
    .superRefine((secret, context) => {
      const problem = (path: string, message: string) =>
        context.addIssue({ code: 'custom', path: [path], message });
      if (secret.recipe === undefined) {
        if (secret.service === undefined) {
          problem(
            'recipe',
            `must be one of ${recipes.names.join(', ')} (an admin secret has "service" instead)`,
          );
        } else if (!recipes.services.includes(secret.service)) {
          problem('service', `must be one of ${recipes.services.join(', ')}`);
        }
        const { expiresAt } = secret as HttpSecret;
        if (expiresAt !== undefined && expiresAt !== null && endOf(expiresAt) === undefined) {
          problem('expiresAt', 'must be a day such as 2026-03-01, or a time');
        }
        return;
      }
      const recipe = recipes.get(secret.recipe);
      if (recipe === undefined) {
        problem('recipe', `must be one of ${recipes.names.join(', ')}`);
        return;
      }
      for (const [name, parameter] of Object.entries(recipe.parameters)) {
        const fault = parameterFault(parameter, (secret as HttpSecret)[name]);
        if (fault !== undefined) problem(name, fault);
      }
      for (const name of [recipe.credential.id, recipe.credential.secret]) {
        const value: unknown = (secret as HttpSecret)[name];
        const numeric = name === recipe.credential.id && typeof value === 'number';
        if (typeof value !== 'string' && !numeric) problem(name, 'must be text');
      }
    });
}

/** Finds the fault of a parameter's value; undefined when it has none. */
function parameterFault(parameter: Parameter, value: unknown): string | undefined {
  if (value === undefined || value === null) {
    return parameter.default === undefined && !parameter.optional
      ? `is missing: ${parameter.description}`
      : undefined;
  }
  const fits = (text: string): boolean =>
    text !== '' &&
    text.length <= longestValue &&
    !/\p{Cc}/u.test(text) &&
    text.isWellFormed() &&
    (parameter.pattern === undefined || new RegExp(`^(?:${parameter.pattern})$`, 'u').test(text));
  const form = parameter.pattern === undefined ? '' : ` that matches ${parameter.pattern}`;
  switch (parameter.type) {
    case 'text':
      return typeof value === 'string' || typeof value === 'number'
        ? fits(String(value))
          ? undefined
          : `must be text${form} without control characters`
        : `must be text${form}`;
    case 'host':
      return typeof value === 'string' && hostPattern.test(value) && fits(value)
        ? undefined
        : `must be a host name${form}`;
    case 'integer': {
      const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = parameter;
      const number = asInteger(value);
      return number !== undefined && number >= minimum && number <= maximum
        ? undefined
        : `must be an integer from ${minimum} to ${maximum}`;
    }
    case 'list': {
      const list = asList(value);
      return list !== undefined && list.length > 0 && list.every(fits)
        ? undefined
        : `must be a list of texts${form}, or those texts with commas between`;
    }
    case 'json':
      // Services take an empty object for no limit at all.
      return Object.keys(asJson(value) ?? {}).length === 0
        ? 'must be a JSON object or array, and not empty'
        : undefined;
  }
}

const asInteger = (value: unknown): number | undefined =>
  (typeof value === 'number' && Number.isSafeInteger(value)) ||
  (typeof value === 'string' && /^\d{1,15}$/.test(value))
    ? Number(value)
    : undefined;

function asList(value: unknown): string[] | undefined {
  const items = typeof value === 'string' ? value.split(/\s*,\s*/) : value;
  return Array.isArray(items) && items.every((item) => typeof item === 'string') ? items : undefined;
}

function asJson(value: unknown): Json | undefined {
  if (typeof value === 'string') {
    try {
      const parsed: unknown = JSON.parse(value);
      return typeof parsed === 'object' && parsed !== null ? (parsed as Json) : undefined;
    } catch {
      return undefined;
    }
  }
  return typeof value === 'object' && value !== null ? (value as Json) : undefined;
}

/** Gives the value of a parameter in the type that requests want, its default included. */
export function parameterValue(parameter: Parameter, value: unknown): Json | undefined {
  if (value === undefined || value === null) return parameter.default;
  switch (parameter.type) {
    case 'text':
    case 'host':
      return String(value);
    case 'integer':
      return asInteger(value);
    case 'list':
      return asList(value);
    case 'json':
      return asJson(value);
  }
}

/** A secret together with what its recipe makes of it. */
export interface Credential {
  readonly secret: HttpSecret;
  readonly name: string;
  readonly recipe: Recipe;
  readonly id: string;
  readonly value: string;
  readonly parameters: ReadonlyMap<string, Json | undefined>;
}

/**
 * Reads a parsed secret as the credential of its recipe.
 * @throws SecretError `SecretValueInvalid` for an admin secret in the place of a credential
 */
export function credentialOf(secret: HttpSecret, recipes: Recipes): Credential {
  const recipe = secret.recipe === undefined ? undefined : recipes.get(secret.recipe);
  if (recipe === undefined || secret.recipe === undefined) {
    throw new SecretError(
      'SecretValueInvalid',
      'the secret names no recipe; only an admin secret may do without, and it is no credential to rotate',
    );
  }
  return {
    secret,
    recipe,
    name: secret.recipe,
    id: String(secret[recipe.credential.id]),
    value: String(secret[recipe.credential.secret]),
    parameters: new Map(
      Object.entries(recipe.parameters).map(([name, parameter]) => [
        name,
        parameterValue(parameter, secret[name]),
      ]),
    ),
  };
}

/**
 * Gives the credential's keys that a rotation replaces; see {@link Rotator.credentialKeys}. Those are the keys that the recipe
 * takes from the answer of the service, its expiry for example.
 */
export function credentialKeys({ recipe: name }: HttpSecret, recipes: Recipes): readonly string[] {
  const recipe = name === undefined ? undefined : recipes.get(name);
  if (recipe === undefined) return [];
  const { id, secret } = recipe.credential;
  return [...new Set([id, secret, ...Object.keys(recipe.create.answer), 'createdAs'])];
}

/** Gives the recipe, and the parameters that decide which host is sent the credential; see {@link Rotator.boundTo}. */
export function boundTo(secret: HttpSecret, recipes: Recipes): Bounds {
  const recipe = secret.recipe === undefined ? undefined : recipes.get(secret.recipe);
  if (recipe === undefined) return {};
  const hosts = hostParameters(recipe).map((name): [string, string] => {
    const parameter = recipe.parameters[name];
    return [name, String(parameter && parameterValue(parameter, secret[name]))];
  });
  return { recipe: secret.recipe ?? '', ...Object.fromEntries(hosts) };
}
