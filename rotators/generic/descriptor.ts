import { adminChanges, type SecretTypeDescriptor } from '../descriptor.ts';
import { genericSecretSchema } from './schema.ts';

/** Describes the secret type `generic` to the configuration, the constructs, the documentation and the suite. */
export const descriptor = {
  title: 'Generic random value',
  strategies: ['single-user'],
  needsAdmin: [],
  database: false,
  verifiedOn: [],
  unverifiable: true,
  created: { schema: genericSecretSchema, changes: { rotates: 'refused', ...adminChanges } },
} as const satisfies SecretTypeDescriptor;
