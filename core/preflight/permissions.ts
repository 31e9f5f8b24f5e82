/** A request for the policy of the role that a preflight runs as. */
export interface PermissionsNeeded {
  readonly environment: string;
  readonly region: string;
  /** Account; `*` where it is not known. */
  readonly account: string;
  /** Bucket of the audit log, where the environment has one. */
  readonly auditBucket?: string;
  /** True if values are looked at: for keys in them, or to try credentials. */
  readonly values: boolean;
}

const partitionOf = (region: string): string =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';

/**
 * Writes the policy with the least that a preflight needs. Secrets are those below the environment's namespace; one that it has
 * adopted under another name is added by hand.
 */
export function preflightPolicy({
  environment,
  region,
  account,
  auditBucket,
  values,
}: PermissionsNeeded): object {
  const partition = partitionOf(region);
  const arn = (service: string, resource: string) =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`;
  const iam = (resource: string) => `arn:${partition}:iam::${account}:${resource}`;
  const secrets = arn('secretsmanager', `secret:/${environment}/*`);
  const keys = arn('kms', 'key/*');
  const allow = (
    Sid: string,
    Action: readonly string[],
    Resource: string | readonly string[],
    Condition?: object,
  ) => ({
    Sid,
    Effect: 'Allow',
    Action,
    Resource,
    ...(Condition !== undefined && { Condition }),
  });
  // The region is not known where nothing is asked.
  const equals = region.includes('*') ? 'StringLike' : 'StringEquals';
  const via = (service: string) => ({
    [equals]: { 'kms:ViaService': `${service}.${region}.amazonaws.com` },
  });
  return {
    Version: '2012-10-17',
    Statement: [
      allow('Secrets', ['secretsmanager:DescribeSecret', 'secretsmanager:GetResourcePolicy'], secrets),
      allow('NearestNames', ['secretsmanager:ListSecrets'], '*'),
      allow('Keys', ['kms:DescribeKey', 'kms:GetKeyPolicy', 'kms:ListGrants'], keys),
      allow(
        'Readers',
        ['iam:GetRole', 'iam:ListRolePolicies', 'iam:GetRolePolicy', 'iam:ListAttachedRolePolicies'],
        iam('role/*'),
      ),
      allow(
        'ManagedPolicies',
        ['iam:GetPolicy', 'iam:GetPolicyVersion'],
        [iam('policy/*'), `arn:${partition}:iam::aws:policy/*`],
      ),
      allow('ReadableByTooMany', ['iam:GetAccountAuthorizationDetails'], '*'),
      allow(
        'Environment',
        ['ssm:GetParameter', 'ssm:GetParametersByPath'],
        ['deployment', 'secrets', 'manual-secrets'].flatMap((path) =>
          ['', '/*'].map((below) => arn('ssm', `parameter/rekey/${environment}/${path}${below}`)),
        ),
      ),
      ...(auditBucket === undefined
        ? []
        : [
            allow(
              'OpenRevocations',
              ['s3:ListBucket', 's3:GetObject'],
              [`arn:${partition}:s3:::${auditBucket}`, `arn:${partition}:s3:::${auditBucket}/*`],
            ),
            allow('AuditKey', ['kms:Decrypt'], keys, {
              [equals]: {
                'kms:ViaService': `s3.${region}.amazonaws.com`,
                'kms:EncryptionContext:aws:s3:arn': `arn:${partition}:s3:::${auditBucket}`,
              },
            }),
          ]),
      ...(values
        ? [
            allow('Values', ['secretsmanager:GetSecretValue'], secrets),
            allow('ValuesTogether', ['secretsmanager:BatchGetSecretValue'], '*'),
            allow('ValueKeys', ['kms:Decrypt'], keys, via('secretsmanager')),
          ]
        : []),
    ],
  };
}
