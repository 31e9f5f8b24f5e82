import type { OverlappingRotator } from '../../core/rotator.ts';
import { generatePassword } from '../../core/secret/password.ts';
import { narrow } from '../families/aws-api/passwords.ts';
import { defaultPace, type Pace } from '../families/aws-api/reset.ts';
import { CacheUserApi, type ClientConfig } from './api.ts';
import { apply, retire } from './apply.ts';
import { check } from './check.ts';
import { contain } from './contain.ts';
import { descriptor } from './descriptor.ts';
import { rules } from './limits.ts';
import { probe } from './login.ts';
import { boundTo, type CacheUserSecret, cacheUserSchema } from './schema.ts';

/**
 * Makes the rotator of passwords that are set through the ElastiCache API.
 * @param options.config - of the SDK's client; default: what the environment says
 * @param options.pace - how long changes are waited for
 */
export function elastiCacheRotator(
  options: { readonly config?: ClientConfig; readonly pace?: Pace } = {},
): OverlappingRotator<CacheUserSecret> {
  const tools = { api: new CacheUserApi(options.config), pace: options.pace ?? defaultPace };
  return {
    type: 'elasticache',
    kind: 'overlapping',
    strategies: descriptor.strategies,
    schema: cacheUserSchema,
    identity: ({ username }) => username,
    credentialKeys: () => ['password'],
    boundTo,
    propose: async (current, { random, passwords }) => ({
      ...current,
      password: generatePassword(narrow(passwords, rules), random),
    }),
    check,
    apply: (next, context) => apply(next, context, tools),
    probe,
    retire: (old, context) => retire(old, context, tools),
    contain: (leaked, context) => contain(leaked, context, tools),
  };
}

/** Rotator for users of ElastiCache. See `docs/secret-types/elasticache.md`. */
export const rotator: OverlappingRotator<CacheUserSecret> = elastiCacheRotator();
