/** The part of the Redshift client that is used. It is imported on demand, so that a bundle holds only this part. */
export { DescribeClustersCommand, ModifyClusterCommand, RedshiftClient } from '@aws-sdk/client-redshift';
