import {
  type DBCluster,
  type DBClusterEndpoint,
  type DBInstance,
  DescribeDBClusterEndpointsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { RdsDirectory } from '../../adapters/database-directory.ts';
import { region } from './answers.ts';

const domain = 'c9akciq32rgw.eu-central-1.rds.amazonaws.com';
const instance = (id: string, more: Partial<DBInstance> = {}): DBInstance => ({
  DBInstanceIdentifier: id,
  Endpoint: { Address: `${id}.${domain}`, Port: 5432 },
  ...more,
});
const cluster = (id: string, more: Partial<DBCluster> = {}): DBCluster => ({
  DBClusterIdentifier: id,
  Endpoint: `${id}.cluster-${domain}`,
  ReaderEndpoint: `${id}.cluster-ro-${domain}`,
  ...more,
});

const instances = [
  instance('plain'),
  instance('replica', { ReadReplicaSourceDBInstanceIdentifier: 'plain' }),
  instance('far', { ReadReplicaSourceDBInstanceIdentifier: 'arn:aws:rds:us-east-1:111122223333:db:plain' }),
  instance('cascaded', { ReadReplicaSourceDBInstanceIdentifier: 'replica' }),
  instance('writer', { DBClusterIdentifier: 'shop' }),
  instance('reader', { DBClusterIdentifier: 'shop' }),
  instance('of-cluster', { ReadReplicaSourceDBClusterIdentifier: 'shop' }),
  instance('stranger', { DBClusterIdentifier: 'other' }),
  instance('round-1', { ReadReplicaSourceDBInstanceIdentifier: 'round-2' }),
  instance('round-2', { ReadReplicaSourceDBInstanceIdentifier: 'round-1' }),
];
const clusters = [
  cluster('shop'),
  cluster('other'),
  cluster('secondary', { ReplicationSourceIdentifier: 'arn:aws:rds:us-east-1:111122223333:cluster:shop' }),
];
const endpoints: DBClusterEndpoint[] = [
  {
    DBClusterEndpointIdentifier: 'reports',
    DBClusterIdentifier: 'shop',
    Endpoint: `reports.cluster-custom-${domain}`,
  },
];

const rds = mockClient(RDSClient);
beforeEach(() => {
  rds.reset();
  rds.on(DescribeDBInstancesCommand).callsFake(async ({ Filters }) => ({
    DBInstances: instances.filter(({ DBInstanceIdentifier: id }) => id === Filters[0].Values[0]),
  }));
  rds.on(DescribeDBClustersCommand).callsFake(async ({ Filters }) => ({
    DBClusters: clusters.filter(({ DBClusterIdentifier: id }) => id === Filters[0].Values[0]),
  }));
  rds.on(DescribeDBClusterEndpointsCommand).callsFake(async ({ DBClusterEndpointIdentifier: wanted }) => ({
    DBClusterEndpoints: endpoints.filter(({ DBClusterEndpointIdentifier: id }) => id === wanted),
  }));
});

const shares = (host: string, adminHost: string) =>
  new RdsDirectory(region).sharesUsers(`${host}${domain}`, `${adminHost}${domain}`);

describe('hosts of one set of users', () => {
  test.each([
    ['a replica', 'replica.', 'plain.'],
    ['a replica of a replica', 'cascaded.', 'plain.'],
    ['a replica of another region', 'far.', 'plain.'],
    ['the reader endpoint', 'shop.cluster-ro-', 'shop.cluster-'],
    ['a reader instance', 'reader.', 'shop.cluster-'],
    ['a custom endpoint', 'reports.cluster-custom-', 'shop.cluster-'],
    ['an admin of the writer instance', 'shop.cluster-', 'writer.'],
    ['a reader instance and an admin of the writer instance', 'reader.', 'writer.'],
    ['the reader endpoint and an admin of the writer instance', 'shop.cluster-ro-', 'writer.'],
    ['a replica of a Multi-AZ cluster', 'of-cluster.', 'shop.cluster-'],
    ['a secondary cluster of a global database', 'secondary.cluster-', 'shop.cluster-'],
  ])('%s', async (_, host, adminHost) => {
    expect(await shares(host, adminHost)).toBe(true);
  });

  test.each([
    ['two instances', 'plain.', 'writer.'],
    ['the source of a replica', 'plain.', 'replica.'],
    ['two clusters', 'shop.cluster-', 'other.cluster-'],
    ['an instance of another cluster', 'stranger.', 'shop.cluster-'],
    ['a custom endpoint of another cluster', 'reports.cluster-custom-', 'other.cluster-'],
    ['a host that RDS does not have', 'nobody.', 'plain.'],
    ['an admin of a host that RDS does not have', 'replica.', 'nobody.'],
    ['replicas that go round', 'round-1.', 'plain.'],
  ])('not %s', async (_, host, adminHost) => {
    expect(await shares(host, adminHost)).toBe(false);
  });

  test('a name that only begins like an endpoint is none', async () => {
    const directory = new RdsDirectory(region);
    expect(await directory.sharesUsers(`replica.${domain}`, 'plain.evil.example')).toBe(false);
    expect(await directory.sharesUsers('replica.evil.example', `plain.${domain}`)).toBe(false);
    expect(await directory.sharesUsers('shop.cluster-ro-evil.example', `shop.cluster-${domain}`)).toBe(false);
  });
});
