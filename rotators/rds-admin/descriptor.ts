import { longestStepSeconds } from '../../core/deployed/limits.ts';
import { databaseChanges, type SecretTypeDescriptor } from '../descriptor.ts';
import { narrow } from '../families/aws-api/passwords.ts';
import { rulesOfTarget } from './limits.ts';
import { masterSecretSchema } from './schema.ts';

/** Describes the secret type `rds-admin` to the configuration, the constructs, the documentation and the suite. */
export const descriptor = {
  triedAtHost: true,
  title: 'RDS, Aurora, DocumentDB, Redshift admin password',
  apis: ['rds', 'redshift'],
  strategies: ['single-user'],
  needsAdmin: [],
  database: false,
  verifiedOn: ['PostgreSQL 18.4'],
  aws: {
    resources: {
      pattern:
        /^arn:aws[a-z-]*:(?:rds:[a-z0-9-]+:\d{12}:(?:db|cluster)|redshift:[a-z0-9-]+:\d{12}:cluster):[a-zA-Z0-9-]+$/,
      example: 'arn:aws:rds:eu-central-1:111122223333:cluster:orders',
    },
    rotation: ['rds:ModifyDBInstance', 'rds:ModifyDBCluster', 'redshift:ModifyCluster'],
    containment: ['rds:ModifyDBInstance', 'rds:ModifyDBCluster', 'redshift:ModifyCluster'],
    anyResource: {
      actions: ['rds:DescribeDBInstances', 'rds:DescribeDBClusters', 'redshift:DescribeClusters'],
      reason:
        'The database of a secret is looked up among all by its host; the describe actions list databases and read no data.',
    },
  },
  narrowed: (policy, target) => {
    const rules = rulesOfTarget(target);
    return rules === undefined ? policy : narrow(policy, rules);
  },
  stepSeconds: longestStepSeconds,
  created: {
    schema: masterSecretSchema,
    changes: {
      ...databaseChanges,
      engine: 'moves',
      dbInstanceIdentifier: 'moves',
      dbClusterIdentifier: 'moves',
    },
  },
} as const satisfies SecretTypeDescriptor;
