/** The part of the RDS client that is used, to be imported on demand: a bundle then holds only this part. */
export {
  DescribeDBClusterEndpointsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
