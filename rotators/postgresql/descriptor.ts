import { databaseChanges, type SecretTypeDescriptor } from '../descriptor.ts';
import { alternateOf, postgresSecretSchema } from './schema.ts';

/** Describes the secret type `postgresql` to the configuration, the constructs, the documentation and the suite. */
export const descriptor = {
  title: 'PostgreSQL',
  usersByAdmin: true,
  apis: ['rds'],
  strategies: ['single-user', 'alternating-users'],
  needsAdmin: ['alternating-users'],
  database: true,
  verifiedOn: ['PostgreSQL 18', 'PostgreSQL 17', 'PostgreSQL 16', 'PostgreSQL 15', 'PostgreSQL 14'],
  created: { schema: postgresSecretSchema, changes: databaseChanges, alternate: alternateOf },
} as const satisfies SecretTypeDescriptor;
