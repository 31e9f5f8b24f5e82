import { describe } from '@jest/globals';
import { cachePasswordAvoidable as rule } from '../../../../core/template/rules/cache-password-avoidable.ts';
import { breaks, holds, plan, resolved, resource, secret, stack } from '../support.ts';

const cache = (properties: object) =>
  stack({ S: secret(), Cache: resource('AWS::ElastiCache::ReplicationGroup', { ...properties }) });

describe('CachePasswordAvoidable', () => {
  breaks(
    rule,
    'a token for all',
    cache({ Engine: 'redis', EngineVersion: '7.1', AuthToken: resolved('S') }),
    [['Cache', /share one password/]],
  );
  breaks(
    rule,
    'a token in a plan',
    plan([
      {
        type: 'aws_elasticache_replication_group',
        name: 'c',
        after: { engine: 'valkey', engine_version: '8.0', auth_token: 'x' },
        sensitive: { auth_token: true },
      },
    ]),
    [['aws_elasticache_replication_group.c', /share one password/]],
  );

  holds(rule, 'users', cache({ Engine: 'redis', EngineVersion: '7.1', UserGroupIds: ['x'] }));
  holds(
    rule,
    'a version without login by IAM',
    cache({ Engine: 'redis', EngineVersion: '6.2', AuthToken: resolved('S') }),
  );
  holds(rule, 'a version that is open', cache({ AuthToken: resolved('S') }));
});
