import { longestStepSeconds } from '../../core/deployed/limits.ts';
import { adminChanges, endpointChanges, type SecretTypeDescriptor } from '../descriptor.ts';
import { narrow } from '../families/aws-api/passwords.ts';
import { rules } from './limits.ts';
import { cacheUserSchema } from './schema.ts';

/** Describes the secret type `elasticache` to the configuration, the constructs, the documentation and the suite. */
export const descriptor = {
  triedAtHost: true,
  needsHost: ['dual-credential'],
  title: 'ElastiCache users',
  apis: ['elasticache'],
  strategies: ['single-user', 'dual-credential'],
  needsAdmin: [],
  database: false,
  verifiedOn: ['Redis 8.6', 'Redis 8.0', 'Redis 7.0', 'Valkey 9.1', 'Valkey 8.1'],
  aws: {
    resources: {
      pattern: /^arn:aws[a-z-]*:elasticache:[a-z0-9-]+:\d{12}:user:[a-zA-Z][a-zA-Z0-9-]*$/,
      example: 'arn:aws:elasticache:eu-central-1:111122223333:user:orders',
    },
    rotation: ['elasticache:DescribeUsers', 'elasticache:ModifyUser'],
    containment: ['elasticache:DescribeUsers', 'elasticache:ModifyUser'],
  },
  narrowed: (policy) => narrow(policy, rules),
  stepSeconds: longestStepSeconds,
  created: {
    schema: cacheUserSchema,
    changes: { ...endpointChanges, userId: 'moves', user_arn: 'moves', engine: 'written', ...adminChanges },
  },
} as const satisfies SecretTypeDescriptor;
