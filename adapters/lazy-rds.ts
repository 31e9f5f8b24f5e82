/** Part of the RDS client that is used. It is imported on demand, so that a bundle holds only this part. */
export {
  DescribeDBClusterEndpointsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
