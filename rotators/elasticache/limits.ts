import type { PasswordRules } from '../families/aws-api/passwords.ts';

/**
 * Rules of ElastiCache for a user's password.
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
 */
export const rules: PasswordRules = {
  of: 'ElastiCache',
  shortest: 16,
  longest: 128,
  forbidden: ',"/@ ',
  needs: [],
};
