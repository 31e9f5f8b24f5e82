/** The part of the ElastiCache client that is used, to be imported on demand: a bundle then holds only this part. */
export { DescribeUsersCommand, ElastiCacheClient, ModifyUserCommand } from '@aws-sdk/client-elasticache';
