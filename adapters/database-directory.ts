import type { RDSClient, RDSClientConfig } from '@aws-sdk/client-rds';
import type { DatabaseDirectory } from '../core/ports.ts';
import { called } from './aws-error.ts';

/**
 * The RDS API as the {@link DatabaseDirectory}. Its client is loaded with the first question: few secrets have one.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html
 */
export class RdsDirectory implements DatabaseDirectory {
  readonly #config: RDSClientConfig;
  #client: RDSClient | undefined;

  /** @param config - of the SDK's client; default: what the environment says */
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

  /** An instance's replica by its source, an Aurora cluster's reader by its cluster. */
  async isReadReplicaOf(replicaHost: string, primaryHost: string): Promise<boolean> {
    const [replicaId = '', kind = ''] = replicaHost.split('.');
    const [primaryId = ''] = primaryHost.split('.');
    if (kind.startsWith('cluster-ro-')) {
      const cluster = await this.#cluster(replicaId);
      return cluster?.ReaderEndpoint === replicaHost && cluster.Endpoint === primaryHost;
    }
    const replica = await this.#instance(replicaId);
    if (replica?.Endpoint?.Address !== replicaHost) {
      return false;
    }
    const sources = [
      replica.ReadReplicaSourceDBInstanceIdentifier,
      replica.ReadReplicaSourceDBClusterIdentifier,
    ];
    return sources.some((source) => source !== undefined && source.split(':').at(-1) === primaryId);
  }

  async #instance(id: string) {
    const { RDSClient, DescribeDBInstancesCommand } = await import('./rds-client.ts');
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
    const { RDSClient, DescribeDBClustersCommand } = await import('./rds-client.ts');
    this.#client ??= new RDSClient(this.#config);
    const answer = await called(
      { service: 'RDS', action: 'rds:DescribeDBClusters', on: id },
      this.#client.send(
        new DescribeDBClustersCommand({ Filters: [{ Name: 'db-cluster-id', Values: [id] }] }),
      ),
    );
    return answer.DBClusters?.[0];
  }
}
