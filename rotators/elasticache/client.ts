/** The part of the ElastiCache client that is used. It is imported on demand, so that a bundle holds only this part. */
export { DescribeUsersCommand, ElastiCacheClient, ModifyUserCommand } from '@aws-sdk/client-elasticache';
