import { adminChanges, endpointChanges, type SecretTypeDescriptor } from '../descriptor.ts';
import { redisSecretSchema } from './schema.ts';

/** Describes the secret type `redis` to the configuration, the constructs, the documentation and the suite. */
export const descriptor = {
  title: 'Redis and Valkey',
  usersByAdmin: true,
  strategies: ['single-user', 'dual-credential'],
  needsAdmin: ['dual-credential'],
  database: false,
  verifiedOn: ['Redis 8.6', 'Redis 8.0', 'Redis 7.0', 'Redis 6.0', 'Valkey 9.1', 'Valkey 8.1'],
  created: {
    schema: redisSecretSchema,
    changes: { ...endpointChanges, engine: 'written', ...adminChanges },
  },
} as const satisfies SecretTypeDescriptor;
