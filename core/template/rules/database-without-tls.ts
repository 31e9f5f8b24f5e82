import { named, type TemplateRule } from '../rule.ts';
import type { Resource } from '../template.ts';
import { isAbsent, isOpen, literalSwitch, literalText, mapOf, type revealed } from '../value.ts';
import type { World } from '../world.ts';

/** Asks that databases and caches refuse connections without TLS, where the template decides that. */
export const databaseWithoutTls: TemplateRule<'DatabaseWithoutTls'> = {
  description: {
    id: 'DatabaseWithoutTls',
    severity: 'error',
    demand: 'A database or cache refuses connections without TLS.',
    reason: 'A client without TLS sends the credential over the network for everyone on the way to read.',
    controls: [
      'PCI DSS 4.0.1 4.2.1',
      'SOC 2 CC6.7',
      'ISO 27001:2022 A.8.24',
      'NIST 800-53 r5 SC-8(1)',
      'OWASP NHI 2025 NHI4',
    ],
  },
  *check(world) {
    for (const database of world.ofType('AWS::RDS::DBInstance', 'AWS::RDS::DBCluster')) {
      // Instances of a cluster take this setting from the cluster.
      if (!isAbsent(database.properties.DBClusterIdentifier) && database.type === 'AWS::RDS::DBInstance')
        continue;
      const setting = settingOf(database);
      if (setting === undefined || enforces(world, database, setting) !== false) continue;
      yield {
        on: database,
        message: `the database takes connections without TLS: ${setting.parameter} is not on`,
        fix: `give it a parameter group in which ${setting.parameter} is 1, by ${named(database, setting.group)}`,
      };
    }
    for (const cache of world.ofType('AWS::ElastiCache::ReplicationGroup')) {
      const { TransitEncryptionEnabled, TransitEncryptionMode, Engine } = cache.properties;
      // For Valkey it is on unless the template says otherwise.
      const off = isAbsent(TransitEncryptionEnabled)
        ? isAbsent(Engine) || literalText(Engine) === 'redis'
        : literalSwitch(TransitEncryptionEnabled) === false;
      const optional = literalText(TransitEncryptionMode) === 'preferred';
      if (!off && !optional) continue;
      yield {
        on: cache,
        message: optional
          ? 'the cache takes connections with and without TLS: its mode is preferred'
          : 'the cache takes connections without TLS',
        fix: optional
          ? `set ${named(cache, 'TransitEncryptionMode')} to required once all clients use TLS`
          : `set ${named(cache, 'TransitEncryptionEnabled')} to true`,
      };
    }
    for (const cluster of world.ofType('AWS::MemoryDB::Cluster')) {
      if (literalSwitch(cluster.properties.TLSEnabled) !== false) continue;
      yield {
        on: cluster,
        property: ['TLSEnabled'],
        message: 'the cluster takes connections without TLS',
        fix: `take ${named(cluster, 'TLSEnabled')} away; it is on by default`,
      };
    }
    for (const [type, parameter] of explicitOnly) {
      for (const group of world.ofType(type)) {
        const value = mapOf(group.properties.Parameters)[parameter] ?? redshiftParameter(group, parameter);
        if (!/^(?:false|0|off|disabled)$/i.test(literalText(value) ?? '')) continue;
        yield {
          on: group,
          property: ['Parameters'],
          message: `${parameter} is ${literalText(value)}, so clusters of this group take connections without TLS`,
          fix: `set ${parameter} to ${type.includes('Redshift') ? 'true' : 'enabled'}`,
        };
      }
    }
  },
};

/** Groups whose parameter enforces TLS unless it says otherwise. */
const explicitOnly = [
  ['AWS::Redshift::ClusterParameterGroup', 'require_ssl'],
  ['AWS::DocDB::DBClusterParameterGroup', 'tls'],
] as const;

/** Reads a parameter of a Redshift group in CloudFormation, which lists names and values. */
function redshiftParameter({ properties }: Resource, name: string): ReturnType<typeof revealed> {
  const listed = properties.Parameters;
  const found = (Array.isArray(listed) ? listed : [])
    .map(mapOf)
    .find((one) => literalText(one.ParameterName) === name);
  return found?.ParameterValue;
}

interface Setting {
  readonly parameter: string;
  readonly group: 'DBParameterGroupName' | 'DBClusterParameterGroupName';
  /** True if the engine enforces TLS by default; undefined where that is open. */
  readonly usual: boolean | undefined;
}

/**
 * Gives the parameter by which an engine enforces TLS, and what it is by default. PostgreSQL 15 and later enforce it on RDS, and
 * Aurora's from 17 on. Of versions whose default is not documented for certain, nothing is said.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/ssl-certificate-rotation-aurora-postgresql.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mysql-ssl-connections.html
 */
function settingOf({ type, properties }: Resource): Setting | undefined {
  const engine = literalText(properties.Engine);
  const [major, minor = 0] = (literalText(properties.EngineVersion) ?? '').split('.').map(Number);
  const group = type === 'AWS::RDS::DBCluster' ? 'DBClusterParameterGroupName' : 'DBParameterGroupName';
  const before = (limitMajor: number, limitMinor = 0): false | undefined =>
    major !== undefined && major > 0 && (major < limitMajor || (major === limitMajor && minor < limitMinor))
      ? false
      : undefined;
  switch (engine) {
    case 'postgres':
      return { parameter: 'rds.force_ssl', group, usual: before(15) };
    case 'aurora-postgresql':
      return { parameter: 'rds.force_ssl', group, usual: before(17) };
    case 'mysql':
      return { parameter: 'require_secure_transport', group, usual: before(8, 4) };
    case 'aurora-mysql':
      return { parameter: 'require_secure_transport', group, usual: before(8, 4) };
    case 'mariadb':
      return { parameter: 'require_secure_transport', group, usual: before(11, 8) };
    case 'sqlserver-ee':
    case 'sqlserver-se':
    case 'sqlserver-ex':
    case 'sqlserver-web':
      return { parameter: 'rds.force_ssl', group, usual: false };
    default:
      return undefined;
  }
}

/** Tells whether a database enforces TLS; undefined where the template does not decide it. */
function enforces(
  world: World,
  { properties }: Resource,
  { parameter, group, usual }: Setting,
): boolean | undefined {
  const named = properties[group];
  if (isAbsent(named)) return usual;
  const name = literalText(named);
  const found = world.target(
    named,
    group === 'DBParameterGroupName' ? 'AWS::RDS::DBParameterGroup' : 'AWS::RDS::DBClusterParameterGroup',
  );
  // A default group has the defaults; any other that is not here may say anything.
  if (found === undefined) return name?.startsWith('default.') ? usual : undefined;
  const parameters = found.properties.Parameters;
  if (isOpen(parameters)) return undefined;
  const value = mapOf(parameters)[parameter];
  return isAbsent(value) ? usual : literalSwitch(value);
}
