import { isDeepStrictEqual } from 'node:util';
import { SecretError } from '../../core/errors/rekey-error.ts';
import type { Credentials } from '../../core/rotator.ts';
import type { Authentication, Recipe } from './recipe.ts';
import type { Recipes } from './recipe-book.ts';
import { pinnedParameters } from './recipe-rules.ts';
import { type Credential, credentialOf, type HttpSecret, parameterValue } from './schema.ts';
import type { Json, Values } from './template.ts';
import { endOf } from './time.ts';

/** The right to create and to revoke. */
export interface Authority {
  readonly authentication: Authentication;
  /** Values that its authentication is filled with. */
  readonly values: Values;
  /** Permission that it must have, for errors. */
  readonly permission: string;
  /** True when a credential of the secret does it itself. */
  readonly own: boolean;
  /** Values that must not be revoked by this authority: they are its own. */
  readonly secrets: readonly string[];
  /** Fields of the admin secret that are not secret, for URLs and bodies. */
  readonly open: Values;
  /** Time at which the credential of the admin secret ends, where that secret says so. */
  readonly expiresAt?: Date;
}

/**
 * Gives the authority of the admin named in `masterarn`. Where there is none and the service lets a credential do it, it gives
 * that of `self`.
 * @throws SecretError `AdminSecretMissing` | `AdminSecretMismatch`
 */
export async function authorityFor(
  subject: Credential,
  {
    credentials,
    recipes,
    self,
  }: { readonly credentials: Credentials<HttpSecret>; readonly recipes: Recipes; readonly self?: Credential },
): Promise<Authority> {
  const { recipe } = subject;
  const admin = await credentials.admin();
  if (admin !== undefined) return adminAuthority(subject, admin, recipes);
  if (recipe.own !== undefined && self !== undefined) {
    return {
      ...recipe.own,
      values: valuesOf(self),
      own: true,
      secrets: [self.value],
      open: new Map(Object.keys(recipe.admin.fields).map((name) => [`admin.${name}`, undefined])),
    };
  }
  throw new SecretError(
    'AdminSecretMissing',
    `${recipe.title} needs an admin secret named in "masterarn": ${wanted(recipe)}`,
  );
}

/** Says in words what an admin secret must hold. */
function wanted(recipe: Recipe): string {
  const { service, admin, parameters } = recipe;
  const pinned = pinnedParameters(recipe).filter((name) => parameters[name]?.default === undefined);
  const keys = [
    `"service": "${service}"`,
    ...[...pinned, ...Object.keys(admin.fields)].map((name) => `"${name}"`),
  ];
  return `a JSON object with ${keys.join(', ')}; it needs: ${admin.permission}`;
}

/**
 * Makes the authority of an admin secret that agrees with the secret. Whoever may write the secret decides where requests go. So
 * what the admin secret holds as well must be the same in both, and the parameters that decide who gets a credential must be in
 * both.
 */
function adminAuthority(subject: Credential, admin: HttpSecret, recipes: Recipes): Authority {
  const { recipe, name, parameters } = subject;
  const service =
    admin.service ?? (admin.recipe === undefined ? undefined : recipes.get(admin.recipe)?.service);
  if (service !== recipe.service) {
    throw new SecretError(
      'AdminSecretMismatch',
      `the admin secret is of the service "${service ?? ''}", the recipe ${name} of "${recipe.service}"; correct masterarn`,
    );
  }
  const pinnedKeys = pinnedParameters(recipe);
  for (const [key, value] of parameters) {
    const parameter = recipe.parameters[key];
    if (parameter === undefined) continue;
    const pinned = parameterValue(parameter, admin[key] ?? undefined);
    const isHeld = Object.hasOwn(admin, key) || pinnedKeys.includes(key);
    if (isHeld && !isDeepStrictEqual(pinned, value)) {
      throw new SecretError(
        'AdminSecretMismatch',
        `${key} of the admin secret is ${quoted(pinned)}, that of the secret ${quoted(value)}; the admin credential is only used for what its own secret names, so make both the same`,
      );
    }
  }
  const values = new Map<string, Json | undefined>(parameters);
  const open = new Map<string, Json | undefined>();
  const secrets: string[] = [];
  for (const [key, field] of Object.entries(recipe.admin.fields)) {
    const value = admin[key];
    if (typeof value !== 'string' || value === '') {
      throw new SecretError(
        'AdminSecretMissing',
        `the admin secret has no "${key}"; it must be ${wanted(recipe)}`,
      );
    }
    values.set(`admin.${key}`, value);
    if (field.secret) secrets.push(value);
    else open.set(`admin.${key}`, value);
  }
  const expiresAt = endOf(admin.expiresAt);
  return {
    ...recipe.admin,
    values,
    own: false,
    secrets,
    open,
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

const quoted = (value: Json | undefined): string =>
  value === undefined
    ? 'missing'
    : `"${typeof value === 'string' ? value : JSON.stringify(value)}"`.slice(0, 256);

/** Gives parameters and parts of a credential, by the names that templates use. */
export function valuesOf(credential: Credential): Map<string, Json | undefined> {
  const { recipe, parameters, secret } = credential;
  const values = new Map<string, Json | undefined>(parameters);
  for (const name of Object.keys(recipe.create.answer)) {
    values.set(name, secret[name] as Json | undefined);
  }
  values.set(recipe.credential.id, credential.id);
  return values;
}

/** Gives the current credential, read by its recipe. */
export const currentOf = (credentials: Credentials<HttpSecret>, recipes: Recipes): Credential =>
  credentialOf(credentials.current, recipes);
