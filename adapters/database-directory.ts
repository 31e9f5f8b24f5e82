import type { DBCluster, DBInstance, RDSClient, RDSClientConfig } from '@aws-sdk/client-rds';
import type { DatabaseDirectory } from '../core/ports.ts';
import { called } from './aws-error.ts';

/**
 * The RDS API as the {@link DatabaseDirectory}. Its client is loaded with the first question: few secrets have one.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html
 */
export class RdsDirectory implements DatabaseDirectory {
  readonly #config: RDSClientConfig;
  #client: RDSClient | undefined;

  /** Takes the settings of its client, which is made when it is first asked. */
  constructor(config: RDSClientConfig = {}) {
    this.#config = config;
  }

  async locate(arn: string): Promise<{ host: string; port: number; engine: string } | undefined> {
    if (arn.split(':')[5] === 'cluster') {
      const cluster = await this.#cluster(arn);
      return cluster?.Endpoint && cluster.Port && cluster.Engine
        ? { host: cluster.Endpoint, port: cluster.Port, engine: cluster.Engine }
        : undefined;
    }
    const instance = await this.#instance(arn);
    return instance?.Endpoint?.Address && instance.Endpoint.Port && instance.Engine
      ? { host: instance.Endpoint.Address, port: instance.Endpoint.Port, engine: instance.Engine }
      : undefined;
  }

  /**
   * Tells whether two hosts share their users. Two endpoints of one Aurora or Multi-AZ cluster (writer, reader, custom,
   * instance) do. A replica has those of its source, at once or through others. A secondary cluster of a global database has
   * those of the primary.
   */
  async sharesUsers(host: string, adminHost: string): Promise<boolean> {
    const admin = await this.#nodeOf(adminHost);
    if (admin === undefined) return false;
    let node = await this.#nodeOf(host);
    for (let steps = 0; node !== undefined && steps < longestChain; steps += 1) {
      if (node.id === admin.id) return true;
      node = node.source === undefined ? undefined : await this.#nodeAt(node.source);
    }
    return false;
  }

  /** Finds the database that a host name is an endpoint of; undefined for a name that is not RDS's. */
  async #nodeOf(host: string): Promise<Node | undefined> {
    const [id = '', kind = ''] = host.split('.');
    if (kind.startsWith('cluster-custom-')) {
      const endpoint = await this.#customEndpoint(id);
      return endpoint?.Endpoint === host && endpoint.DBClusterIdentifier !== undefined
        ? this.#clusterNode(endpoint.DBClusterIdentifier)
        : undefined;
    }
    if (kind.startsWith('cluster-')) {
      const cluster = await this.#cluster(id);
      return [cluster?.Endpoint, cluster?.ReaderEndpoint].includes(host)
        ? this.#clusterNode(id, cluster)
        : undefined;
    }
    const instance = await this.#instance(id);
    return instance?.Endpoint?.Address === host ? this.#instanceNode(id, instance) : undefined;
  }

  #nodeAt(source: Source): Promise<Node | undefined> {
    return source.kind === 'cluster' ? this.#clusterNode(source.id) : this.#instanceNode(source.id);
  }

  async #clusterNode(id: string, known?: DBCluster): Promise<Node | undefined> {
    const cluster = known ?? (await this.#cluster(id));
    if (cluster === undefined) return undefined;
    const source = sourceOf('cluster', cluster.ReplicationSourceIdentifier);
    return { id: `cluster ${cluster.DBClusterIdentifier ?? id}`, ...(source && { source }) };
  }

  async #instanceNode(id: string, known?: DBInstance): Promise<Node | undefined> {
    const instance = known ?? (await this.#instance(id));
    if (instance === undefined) return undefined;
    if (instance.DBClusterIdentifier) return this.#clusterNode(instance.DBClusterIdentifier);
    const source =
      sourceOf('instance', instance.ReadReplicaSourceDBInstanceIdentifier) ??
      sourceOf('cluster', instance.ReadReplicaSourceDBClusterIdentifier);
    return { id: `instance ${id}`, ...(source && { source }) };
  }

  async #instance(id: string) {
    const { RDSClient, DescribeDBInstancesCommand } = await import('./lazy-rds.ts');
    this.#client ??= new RDSClient(this.#config);
    const answer = await called(
      { service: 'RDS', action: 'rds:DescribeDBInstances', on: id },
      this.#client.send(
        new DescribeDBInstancesCommand({ Filters: [{ Name: 'db-instance-id', Values: [id] }] }),
      ),
    );
    return answer.DBInstances?.[0];
  }

  async #cluster(id: string) {
    const { RDSClient, DescribeDBClustersCommand } = await import('./lazy-rds.ts');
    this.#client ??= new RDSClient(this.#config);
    const answer = await called(
      { service: 'RDS', action: 'rds:DescribeDBClusters', on: id },
      this.#client.send(
        new DescribeDBClustersCommand({ Filters: [{ Name: 'db-cluster-id', Values: [id] }] }),
      ),
    );
    return answer.DBClusters?.[0];
  }

  async #customEndpoint(id: string) {
    const { RDSClient, DescribeDBClusterEndpointsCommand } = await import('./lazy-rds.ts');
    this.#client ??= new RDSClient(this.#config);
    const answer = await called(
      { service: 'RDS', action: 'rds:DescribeDBClusterEndpoints', on: id },
      this.#client.send(new DescribeDBClusterEndpointsCommand({ DBClusterEndpointIdentifier: id })),
    );
    return answer.DBClusterEndpoints?.[0];
  }
}

/** A database with users of its own, or a copy of one. */
interface Node {
  readonly id: string;
  readonly source?: Source;
}
interface Source {
  readonly kind: 'cluster' | 'instance';
  readonly id: string;
}

/** Replicas of replicas that are followed, at the most. */
const longestChain = 5;

/** Reads the source of a replica from its id, or from its ARN where it is in another region. */
const sourceOf = (kind: Source['kind'], name: string | undefined): Source | undefined => {
  if (!name) return undefined;
  const [, , , , , type, id] = name.split(':');
  return id === undefined ? { kind, id: name } : { kind: type === 'cluster' ? 'cluster' : 'instance', id };
};
