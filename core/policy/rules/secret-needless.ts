import { secretRule } from '../define.ts';

/** Finds the identity that could take the place of a credential. */
function insteadOf(
  type: string,
  host: string | undefined,
): { readonly what: string; readonly fix: string } | undefined {
  if (type === 'iam-access-key') {
    return {
      what: 'a workload that calls AWS',
      fix: 'Give it a role: of its Lambda, task or pod (EKS Pod Identity), by OIDC for a pipeline, by IAM Roles Anywhere outside AWS.',
    };
  }
  // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
  if (/^(?:postgresql|mysql)$/.test(type) && /\.rds\.amazonaws\.com(?:\.cn)?$/i.test(host ?? '')) {
    return {
      what: 'a workload that logs in to RDS or Aurora',
      fix: 'Where its number of new connections allows, use IAM database authentication, and keep this for what cannot.',
    };
  }
  // https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
  if (type === 'elasticache') {
    return {
      what: 'a workload that logs in to ElastiCache',
      fix: 'Use IAM authentication of ElastiCache where the client can renew it every 12 hours.',
    };
  }
  return undefined;
}

export const secretNeedless = secretRule({
  id: 'SecretNeedless',
  severity: 'warning',
  goesBy: 'require.identityFirst',
  demand: 'A secret exists only where the target takes no identity of AWS in its place.',
  reason: 'A credential that nobody stores leaks nowhere and rotates by itself.',
  controls: ['OWASP NHI 2025 NHI7', 'OWASP NHI 2025 NHI4', 'PCI DSS 4.0.1 8.6.2', 'NIST 800-53 r5 IA-5'],
  examine: ({ path, type, login }) => {
    const instead = insteadOf(type, login?.host);
    return {
      setting: type,
      from: `${path}.type`,
      ...(instead !== undefined && {
        broken: { message: `${instead.what} needs no stored credential`, fix: instead.fix },
      }),
    };
  },
});
