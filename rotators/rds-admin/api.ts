import type { DBCluster, DBInstance, RDSClient, RDSClientConfig } from '@aws-sdk/client-rds';
import type { Cluster, RedshiftClient } from '@aws-sdk/client-redshift';
import { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import { callApi, isNotFound } from '../families/aws-api/errors.ts';
import type { Resource } from '../families/aws-api/reset.ts';

/** Kind of database with a master password of its own. Members of a cluster have that of the cluster. */
export type Kind = 'instance' | 'cluster' | 'redshift';

/** A database as its API describes it. */
export interface Database extends Resource {
  readonly kind: Kind;
  readonly id: string;
  readonly username: string;
  /** Secret in which AWS itself keeps and rotates the password. */
  readonly managedSecret?: string;
  /** The cluster that an instance is a member of. */
  readonly memberOf?: string;
  readonly replicaOf?: string;
  /** True if a password waits for the maintenance window unless it is asked for at once; of DocumentDB alone. */
  readonly waitsForWindow?: true;
  readonly hosts: readonly string[];
  readonly port?: number;
}

/** Settings of the clients. @default what the environment says */
export type ClientConfig = Pick<
  RDSClientConfig,
  'endpoint' | 'region' | 'credentials' | 'requestHandler' | 'maxAttempts'
>;

const resettingStatus = 'resetting-master-credentials';
const actions = {
  instance: { describe: 'rds:DescribeDBInstances', modify: 'rds:ModifyDBInstance' },
  cluster: { describe: 'rds:DescribeDBClusters', modify: 'rds:ModifyDBCluster' },
  redshift: { describe: 'redshift:DescribeClusters', modify: 'redshift:ModifyCluster' },
} as const;
const titles = { instance: 'DB instance', cluster: 'DB cluster', redshift: 'Redshift cluster' } as const;

const present = <K extends string, T>(key: K, value: T | undefined | ''): { [key in K]?: T } =>
  (value === undefined || value === '' ? {} : { [key]: value }) as { [key in K]?: T };

/**
 * The RDS and the Redshift API, as far as master passwords go. DocumentDB answers to the RDS API's own actions: its API has the
 * same endpoint and the same requests.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
 * @see https://docs.aws.amazon.com/documentdb/latest/developerguide/api-reference.html
 */
export class DatabaseApi {
  readonly #config: ClientConfig;
  #rds: RDSClient | undefined;
  #redshift: RedshiftClient | undefined;

  constructor(config: ClientConfig = {}) {
    this.#config = config;
  }

  /** Finds the database with this identifier. @throws TargetError */
  async find(kind: Kind, id: string, context: TargetContext): Promise<Database> {
    const [found] = await this.list(kind, context, id);
    if (found === undefined) {
      throw new TargetError(
        'TargetRefused',
        `${this.#where(kind)} knows no ${titles[kind]} "${id}" in this account and region; correct its identifier in the secret`,
      );
    }
    return found;
  }

  /** Lists all databases of a kind, or the one with this identifier. @throws TargetError */
  async list(kind: Kind, context: TargetContext, id?: string): Promise<Database[]> {
    const found: Database[] = [];
    let marker: string | undefined;
    do {
      const page = await this.#call(
        kind,
        'describe',
        `describe ${id ?? `each ${titles[kind]}`}`,
        context,
        (signal) => this.#page(kind, id, marker, signal),
      );
      found.push(...page.databases);
      marker = page.marker;
    } while (marker !== undefined);
    return found;
  }

  async #page(
    kind: Kind,
    id: string | undefined,
    marker: string | undefined,
    abortSignal: AbortSignal,
  ): Promise<{ databases: Database[]; marker: string | undefined }> {
    const page = present('Marker', marker);
    try {
      if (kind === 'redshift') {
        const { DescribeClustersCommand } = await import('./redshift-client.ts');
        const request = new DescribeClustersCommand({ ...present('ClusterIdentifier', id), ...page });
        const answer = await (await this.#redshiftClient()).send(request, { abortSignal });
        return { databases: (answer.Clusters ?? []).map(fromRedshift), marker: answer.Marker || undefined };
      }
      const { DescribeDBClustersCommand, DescribeDBInstancesCommand } = await import('./rds-client.ts');
      const client = await this.#rdsClient();
      if (kind === 'cluster') {
        const request = new DescribeDBClustersCommand({ ...present('DBClusterIdentifier', id), ...page });
        const answer = await client.send(request, { abortSignal });
        return { databases: (answer.DBClusters ?? []).map(fromCluster), marker: answer.Marker || undefined };
      }
      const request = new DescribeDBInstancesCommand({ ...present('DBInstanceIdentifier', id), ...page });
      const answer = await client.send(request, { abortSignal });
      return { databases: (answer.DBInstances ?? []).map(fromInstance), marker: answer.Marker || undefined };
    } catch (error) {
      if (isNotFound(error)) return { databases: [], marker: undefined };
      throw error;
    }
  }

  /**
   * Asks for another master password, and returns the database as it then is. Mostly the change is still to come. RDS sets it at
   * once in any case; `ApplyImmediately` would apply every other change that waits for the maintenance window, too, and so
   * restart or upgrade the database.
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html
   * @throws InvalidState when the database takes no change now
   * @throws TargetError
   */
  async setPassword(
    { kind, id, what, waitsForWindow }: Database,
    password: string,
    context: TargetContext,
  ): Promise<Database> {
    return await this.#call(
      kind,
      'modify',
      `set the master password of ${what}`,
      context,
      async (abortSignal) => {
        const change = { MasterUserPassword: password };
        if (kind === 'redshift') {
          const { ModifyClusterCommand } = await import('./redshift-client.ts');
          const request = new ModifyClusterCommand({ ClusterIdentifier: id, ...change });
          return fromRedshift(
            (await (await this.#redshiftClient()).send(request, { abortSignal })).Cluster ?? {},
          );
        }
        const { ModifyDBClusterCommand, ModifyDBInstanceCommand } = await import('./rds-client.ts');
        const client = await this.#rdsClient();
        if (kind === 'cluster') {
          const now = waitsForWindow === true ? { ApplyImmediately: true } : {};
          const request = new ModifyDBClusterCommand({ DBClusterIdentifier: id, ...change, ...now });
          return fromCluster((await client.send(request, { abortSignal })).DBCluster ?? {});
        }
        const request = new ModifyDBInstanceCommand({ DBInstanceIdentifier: id, ...change });
        return fromInstance((await client.send(request, { abortSignal })).DBInstance ?? {});
      },
    );
  }

  async #call<T>(
    kind: Kind,
    act: 'describe' | 'modify',
    doing: string,
    context: TargetContext,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return await callApi(
      // Whether a change was made is not known when its answer is not.
      { where: this.#where(kind), doing, action: actions[kind][act], changes: act === 'modify' },
      context,
      work,
    );
  }

  #where(kind: Kind): string {
    return kind === 'redshift' ? 'the Redshift API' : 'the RDS API';
  }

  async #rdsClient(): Promise<RDSClient> {
    const { RDSClient } = await import('./rds-client.ts');
    this.#rds ??= new RDSClient(this.#config);
    return this.#rds;
  }

  async #redshiftClient(): Promise<RedshiftClient> {
    const { RedshiftClient } = await import('./redshift-client.ts');
    this.#redshift ??= new RedshiftClient(this.#config);
    return this.#redshift;
  }
}

function fromInstance(instance: DBInstance): Database {
  const id = instance.DBInstanceIdentifier ?? '';
  const status = instance.DBInstanceStatus ?? '';
  const { Endpoint: endpoint, PendingModifiedValues: pending } = instance;
  return {
    kind: 'instance',
    id,
    what: `${titles.instance} "${id}"`,
    status,
    username: instance.MasterUsername ?? '',
    changing: status === resettingStatus || Boolean(pending?.MasterUserPassword),
    ...present('managedSecret', instance.MasterUserSecret?.SecretArn),
    ...present('memberOf', instance.DBClusterIdentifier),
    ...present(
      'replicaOf',
      instance.ReadReplicaSourceDBInstanceIdentifier || instance.ReadReplicaSourceDBClusterIdentifier,
    ),
    hosts: named(endpoint?.Address),
    ...present('port', endpoint?.Port),
  };
}

function fromCluster(cluster: DBCluster): Database {
  const id = cluster.DBClusterIdentifier ?? '';
  const status = cluster.Status ?? '';
  return {
    kind: 'cluster',
    id,
    what: `${titles.cluster} "${id}"`,
    status,
    username: cluster.MasterUsername ?? '',
    changing: status === resettingStatus || Boolean(cluster.PendingModifiedValues?.MasterUserPassword),
    ...present('managedSecret', cluster.MasterUserSecret?.SecretArn),
    ...present('replicaOf', cluster.ReplicationSourceIdentifier),
    ...(cluster.Engine === 'docdb' && { waitsForWindow: true as const }),
    hosts: named(cluster.Endpoint, cluster.ReaderEndpoint, ...(cluster.CustomEndpoints ?? [])),
    ...present('port', cluster.Port),
  };
}

function fromRedshift(cluster: Cluster): Database {
  const id = cluster.ClusterIdentifier ?? '';
  return {
    kind: 'redshift',
    id,
    what: `${titles.redshift} "${id}"`,
    status: cluster.ClusterStatus ?? '',
    username: cluster.MasterUsername ?? '',
    changing: Boolean(cluster.PendingModifiedValues?.MasterUserPassword),
    ...present('managedSecret', cluster.MasterPasswordSecretArn),
    hosts: named(cluster.Endpoint?.Address, cluster.CustomDomainName),
    ...present('port', cluster.Endpoint?.Port),
  };
}

const named = (...hosts: readonly (string | undefined)[]): string[] =>
  hosts.flatMap((host) => (host ? [host.toLowerCase()] : []));
