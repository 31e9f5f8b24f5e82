import { databaseChanges, type SecretTypeDescriptor } from '../descriptor.ts';
import { alternateOf, longestPassword, mysqlSecretSchema } from './schema.ts';

const engines = ['mysql', 'aurora-mysql', 'mariadb'] as const;

/** Describes the secret type `mysql` to the configuration, the constructs, the documentation and the suite. */
export const descriptor = {
  title: 'MySQL and MariaDB',
  usersByAdmin: true,
  apis: ['rds'],
  strategies: ['single-user', 'alternating-users', 'dual-credential'],
  needsAdmin: ['alternating-users', 'dual-credential'],
  database: true,
  verifiedOn: ['MariaDB 11.8', 'MariaDB 11.4', 'MariaDB 10.11', 'MySQL 9.7', 'MySQL 8.0'],
  created: {
    schema: mysqlSecretSchema,
    changes: databaseChanges,
    alternate: (username, { engine }) =>
      alternateOf({ engine: engines.find((known) => known === engine) ?? 'mysql', username }),
  },
  longestPassword: { characters: longestPassword, of: 'MySQL' },
} as const satisfies SecretTypeDescriptor;
