import * as z from 'zod';
import type { Bounds } from '../../core/rotator.ts';
import { commonSecretFields } from '../../core/secret/secret.ts';
import type { RedisSecret } from '../redis/schema.ts';
import { endpointBounds, endpointFields } from '../transport/endpoint.ts';

/**
 * JSON of an ElastiCache user's secret. It holds `username`, `password` and `user_arn` as in AWS's own rotation function, and
 * where the cache is, so that a password can be tried. Keys that are not listed survive. An optional one that is `""`, as
 * templates write it, is none.
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/User-Secrets-Manager.html
 */
export const cacheUserSchema = z
  .looseObject({
    engine: z.enum(['redis', 'valkey']).optional(),
    username: z
      .string()
      .min(1, 'username must not be empty')
      .max(512, 'username must have at most 512 characters')
      .refine(
        (value) => value.isWellFormed() && !/[\s\0]/.test(value),
        'username must be text without spaces',
      ),
    /** Id that the API knows the user by, which is not its name. */
    userId: z
      .string()
      .regex(/^(?:[A-Za-z][A-Za-z0-9-]{0,127})?$/, 'must be the id of a user')
      .nullish(),
    user_arn: z
      .string()
      .regex(
        /^(?:arn:[^:]+:elasticache:[^:]+:\d{12}:user:[A-Za-z][A-Za-z0-9-]{0,127})?$/,
        'must be the ARN of a user',
      )
      .nullish(),
    ...endpointFields,
    /** Endpoint of the cache. Without it no login can be tried. */
    host: endpointFields.host.or(z.literal('')).nullish(),
    ...commonSecretFields,
  })
  .refine(({ userId, user_arn: arn }) => Boolean(userId || arn), {
    path: ['userId'],
    error: 'userId or user_arn must name the user',
  });
export type CacheUserSecret = z.output<typeof cacheUserSchema>;

/** Gives the id of the user; the service keeps it in small letters. */
export const userIdOf = ({ userId, user_arn: arn }: CacheUserSecret): string =>
  ((userId || arn?.split(':').at(-1)) ?? '').toLowerCase();

/** Gives the secret as a login to the cache; undefined when it names no host. */
export function asLogin(secret: CacheUserSecret): RedisSecret | undefined {
  const { host } = secret;
  return host ? { ...secret, host, engine: 'redis' } : undefined;
}

/**
 * Gives the keys and values that the login is bound to; see {@link Rotator.boundTo}. Both keys that may name the user stand for
 * its id.
 */
export const boundTo = (secret: CacheUserSecret): Bounds => ({
  ...endpointBounds({ ...secret, host: secret.host ?? '' }, Number(secret.port ?? 6379)),
  userId: userIdOf(secret),
  user_arn: userIdOf(secret),
});
