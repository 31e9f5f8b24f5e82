import { describe } from '@jest/globals';
import { databaseWithoutTls as rule } from '../../../../core/template/rules/database-without-tls.ts';
import { breaks, holds, plan, ref, resource, stack } from '../support.ts';

const instance = (
  Engine: string,
  EngineVersion: string | undefined,
  more: object = {},
  others: object = {},
) =>
  stack({
    Db: resource('AWS::RDS::DBInstance', {
      Engine,
      ...(EngineVersion !== undefined && { EngineVersion }),
      ...more,
    }),
    ...others,
  });
const group = (Parameters: object) => ({ Group: resource('AWS::RDS::DBParameterGroup', { Parameters }) });
const withGroup = { DBParameterGroupName: ref('Group') };
const cache = (properties: object) =>
  stack({ Cache: resource('AWS::ElastiCache::ReplicationGroup', { ...properties }) });

describe('DatabaseWithoutTls', () => {
  breaks(rule, 'PostgreSQL 14, which leaves it off', instance('postgres', '14.9'), [
    ['Db', /rds\.force_ssl is not on/],
  ]);
  breaks(
    rule,
    'PostgreSQL that turns it off',
    instance('postgres', '16.1', withGroup, group({ 'rds.force_ssl': '0' })),
    [['Db', /rds\.force_ssl is not on/]],
  );
  breaks(rule, 'MySQL 8.0', instance('mysql', '8.0.39'), [['Db', /require_secure_transport is not on/]]);
  breaks(rule, 'SQL Server', instance('sqlserver-se', undefined), [['Db', /rds\.force_ssl/]]);
  breaks(
    rule,
    'a cluster of Aurora, and not its instances',
    stack({
      Cluster: resource('AWS::RDS::DBCluster', {
        Engine: 'aurora-mysql',
        EngineVersion: '8.0.mysql_aurora.3.08.0',
      }),
      Instance: resource('AWS::RDS::DBInstance', {
        Engine: 'aurora-mysql',
        EngineVersion: '8.0',
        DBClusterIdentifier: ref('Cluster'),
      }),
    }),
    [['Cluster', /require_secure_transport/]],
  );
  breaks(rule, 'a cache without TLS', cache({ Engine: 'redis' }), [['Cache', /without TLS/]]);
  breaks(rule, 'a cache that turns it off', cache({ Engine: 'valkey', TransitEncryptionEnabled: false }), [
    ['Cache', /without TLS/],
  ]);
  breaks(
    rule,
    'a cache with a choice',
    cache({ TransitEncryptionEnabled: true, TransitEncryptionMode: 'preferred' }),
    [['Cache', /preferred/]],
  );
  breaks(
    rule,
    'MemoryDB and Redshift that turn it off',
    stack({
      Memory: resource('AWS::MemoryDB::Cluster', { TLSEnabled: false }),
      Group: resource('AWS::Redshift::ClusterParameterGroup', {
        Parameters: [{ ParameterName: 'require_ssl', ParameterValue: 'false' }],
      }),
    }),
    [
      ['Memory', /without TLS/],
      ['Group', /require_ssl is false/],
    ],
  );
  breaks(
    rule,
    'databases in a plan',
    plan([
      { type: 'aws_db_instance', name: 'db', after: { engine: 'mysql', engine_version: '8.0' } },
      {
        type: 'aws_elasticache_replication_group',
        name: 'c',
        after: { engine: 'redis', transit_encryption_enabled: false },
      },
    ]),
    [
      ['aws_db_instance.db', /require_secure_transport/],
      ['aws_elasticache_replication_group.c', /without TLS/],
    ],
  );

  holds(rule, 'PostgreSQL 15 and later, where it is on', instance('postgres', '16.1'));
  holds(
    rule,
    'a group that turns it on',
    instance('postgres', '13.4', withGroup, group({ 'rds.force_ssl': 1 })),
  );
  holds(
    rule,
    'MySQL with a group',
    instance('mysql', '8.0.39', withGroup, group({ require_secure_transport: 'ON' })),
  );
  holds(rule, 'a version that is open', instance('mysql', undefined));
  holds(rule, 'a group of another stack', instance('mysql', '8.0.39', { DBParameterGroupName: 'shared' }));
  holds(rule, 'an engine without such a parameter', instance('oracle-ee', '19'));
  holds(
    rule,
    'caches with TLS',
    stack({
      Redis: resource('AWS::ElastiCache::ReplicationGroup', {
        Engine: 'redis',
        TransitEncryptionEnabled: true,
      }),
      Valkey: resource('AWS::ElastiCache::ReplicationGroup', { Engine: 'valkey' }),
      Memory: resource('AWS::MemoryDB::Cluster', {}),
    }),
  );
  holds(
    rule,
    'a group in a plan',
    plan([
      {
        type: 'aws_db_instance',
        name: 'db',
        after: { engine: 'mysql', engine_version: '8.0', parameter_group_name: 'own' },
        refers: { parameter_group_name: ['aws_db_parameter_group.own.name', 'aws_db_parameter_group.own'] },
      },
      {
        type: 'aws_db_parameter_group',
        name: 'own',
        after: {
          name: 'own',
          family: 'mysql8.0',
          parameter: [{ name: 'require_secure_transport', value: '1' }],
        },
      },
    ]),
  );
  holds(
    rule,
    'a group whose parameters only the deploy knows',
    stack({
      Db: resource('AWS::RDS::DBInstance', { Engine: 'mysql', EngineVersion: '8.0.39', ...withGroup }),
      Group: resource('AWS::RDS::DBParameterGroup', { Parameters: { 'Fn::FindInMap': ['M', 'a', 'b'] } }),
    }),
  );
  holds(
    rule,
    'groups that leave it on',
    stack({
      Redshift: resource('AWS::Redshift::ClusterParameterGroup', {
        Parameters: [{ ParameterName: 'require_ssl', ParameterValue: 'true' }],
      }),
      DocDb: resource('AWS::DocDB::DBClusterParameterGroup', { Parameters: { audit_logs: 'enabled' } }),
    }),
  );
});
