/** The part of the Redshift client that is used, to be imported on demand: a bundle then holds only this part. */
export { DescribeClustersCommand, ModifyClusterCommand, RedshiftClient } from '@aws-sdk/client-redshift';
