import type { ReplacingRotator } from '../../core/rotator.ts';
import { generatePassword } from '../../core/secret/password.ts';
import { narrow } from '../families/aws-api/passwords.ts';
import { defaultPace, type Pace } from '../families/aws-api/reset.ts';
import { type ClientConfig, DatabaseApi } from './api.ts';
import { apply } from './apply.ts';
import { check } from './check.ts';
import { contain } from './contain.ts';
import { descriptor } from './descriptor.ts';
import { rulesOf } from './limits.ts';
import { probe } from './login.ts';
import { boundTo, type MasterSecret, masterSecretSchema } from './schema.ts';

/**
 * Makes the rotator of master passwords that are set through the RDS and the Redshift API.
 * @param options.config - of the SDK's clients; default: what the environment says
 * @param options.pace - how long resets are waited for
 */
export function rdsAdminRotator(
  options: { readonly config?: ClientConfig; readonly pace?: Pace } = {},
): ReplacingRotator<MasterSecret> {
  const tools = { api: new DatabaseApi(options.config), pace: options.pace ?? defaultPace };
  return {
    type: 'rds-admin',
    kind: 'replacing',
    strategies: descriptor.strategies,
    schema: masterSecretSchema,
    identity: ({ username }) => username,
    credentialKeys: () => ['password'],
    boundTo,
    propose: async (current, { random, passwords }) => ({
      ...current,
      password: generatePassword(narrow(passwords, rulesOf(current)), random),
    }),
    check,
    apply: (next, context) => apply(next, context, tools),
    probe,
    contain: (leaked, context) => contain(leaked, context, tools),
  };
}

/** Rotator for master users of RDS, Aurora, DocumentDB and Redshift. See `docs/secret-types/rds-admin.md`. */
export const rotator: ReplacingRotator<MasterSecret> = rdsAdminRotator();
