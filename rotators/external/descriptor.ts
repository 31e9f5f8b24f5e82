import type { SecretTypeDescriptor } from '../descriptor.ts';

/** Describes the secret type `external` to the configuration, the constructs, the documentation and the suite. */
export const descriptor = {
  title: 'Any existing rotation function',
  strategies: ['single-user', 'alternating-users', 'dual-credential'],
  needsAdmin: [],
  database: false,
  verifiedOn: [],
  unverifiable: true,
  foreignFunction: true,
} as const satisfies SecretTypeDescriptor;
