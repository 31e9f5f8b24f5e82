import { databaseChanges, type SecretTypeDescriptor } from '../descriptor.ts';
import { redshiftPolicy } from './password.ts';
import { alternateOf, redshiftSecretSchema } from './schema.ts';

/** Describes the secret type `redshift` to the configuration, the constructs, the documentation and the suite. */
export const descriptor = {
  title: 'Amazon Redshift',
  usersByAdmin: true,
  strategies: ['single-user', 'alternating-users'],
  needsAdmin: ['alternating-users'],
  database: false,
  verifiedOn: [],
  narrowed: redshiftPolicy,
  created: { schema: redshiftSecretSchema, changes: databaseChanges, alternate: alternateOf },
} as const satisfies SecretTypeDescriptor;
