import type { Policy } from '../iam/document.ts';
import { type Decision, decide } from '../iam/evaluate.ts';
import type { Principal, RequestContext } from '../iam/request.ts';
import { bracketed } from './certainty.ts';
import type { EncryptionKey, KeyGrant, KnownPrincipal, KnownSecret } from './ports.ts';

/** Tells whether a principal may read a secret, and by what. */
export type Access =
  | { readonly may: 'yes' }
  | { readonly may: 'no'; readonly action: ReadAction; readonly decision: Refusal }
  /** It depends on what only the real request has. */
  | { readonly may: 'depends'; readonly on: readonly string[] };

/** Actions that a read takes. */
export type ReadAction = 'secretsmanager:GetSecretValue' | 'kms:Decrypt';
type Refusal = Exclude<Decision, { readonly outcome: 'allowed' }>;

/** A question to {@link accessTo}. */
export interface AccessQuestion {
  readonly principal: KnownPrincipal;
  readonly secret: KnownSecret;
  /** Label that the reader asks for. */
  readonly stage: string;
  readonly now: Date;
  readonly policy?: Policy;
  /** Key of the secret. Absent: the account's own key of Secrets Manager, which lets in whoever may read. */
  readonly key?: EncryptionKey;
}

/** Gives the account of an ARN. */
export const accountIn = (arn: string): string => arn.split(':')[4] ?? '';
/** Gives the region of an ARN. */
export const regionIn = (arn: string): string => arn.split(':')[3] ?? '';

/**
 * Works out whether a principal may read a secret. It takes the principal's policies and boundary, the secret's policy, and the
 * policy and grants of its KMS key. Policies of the organization, of sessions and of VPC endpoints are not looked at.
 */
export function accessTo(question: AccessQuestion): Access {
  const { principal, secret, key } = question;
  const reading = worked('secretsmanager:GetSecretValue', question);
  if (reading.may !== 'yes') return reading;
  const isForeign = accountIn(principal.arn) !== accountIn(secret.arn);
  if (!isForeign && (key === undefined || key.managedByAws)) return reading;
  // AWS's own keys let nobody of another account in.
  if (key === undefined || key.managedByAws) {
    return { may: 'no', action: 'kms:Decrypt', decision: { outcome: 'not allowed', by: 'resource' } };
  }
  return worked('kms:Decrypt', question);
}

/** Decides one action at best and at worst; where both agree, that is the answer. */
function worked(action: ReadAction, question: AccessQuestion): Access {
  const { principal, secret, policy, key } = question;
  const ofKey = action === 'kms:Decrypt' && key !== undefined;
  const context = contextOf(action, question);
  const unread = [
    ...(ofKey ? ['aws:resourcetag/'] : []),
    ...(principal.foreign === true ? ['aws:principaltag/'] : []),
  ];
  const unsure = (name: string) => unread.some((prefix) => name.toLowerCase().startsWith(prefix));
  const divide = (one: Policy) => bracketed(one, context, unsure);
  const identity = principal.policies.map(divide);
  const boundary = principal.boundary === undefined ? undefined : divide(principal.boundary);
  const resourcePolicy = ofKey ? key.policy : policy;
  const resource = resourcePolicy === undefined ? undefined : divide(resourcePolicy);
  const request = {
    principal: asPrincipal(principal),
    action,
    resource: ofKey ? key.arn : secret.arn,
    resourceAccount: accountIn(ofKey ? key.arn : secret.arn),
    context,
  };
  const [best, worst] = (['best', 'worst'] as const).map((way) => {
    const decision = decide(request, {
      identity: identity.map((one) => one[way]),
      ...(boundary !== undefined && { boundary: boundary[way] }),
      ...(resource !== undefined && { resource: resource[way] }),
    });
    const granted = ofKey && key.grants.some((grant) => covers(grant, principal, secret));
    return decision.outcome === 'not allowed' && granted
      ? ({ outcome: 'allowed', by: 'resource' } as const)
      : decision;
  }) as [Decision, Decision];
  if (best.outcome !== 'allowed') return { may: 'no', action, decision: best };
  if (worst.outcome === 'allowed') return { may: 'yes' };
  const open = [...identity, ...(boundary ? [boundary] : []), ...(resource ? [resource] : [])];
  return { may: 'depends', on: [...new Set(open.flatMap((one) => one.open))].sort() };
}

/**
 * Tells whether a grant lets a principal decrypt a secret.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
 */
function covers({ grantee, operations, context }: KeyGrant, { arn }: KnownPrincipal, secret: KnownSecret) {
  const asked: Readonly<Record<string, string>> = { SecretARN: secret.arn };
  return (
    grantee === arn &&
    operations.includes('Decrypt') &&
    Object.entries(context).every(([name, value]) => name === 'SecretVersionId' || asked[name] === value)
  );
}

const asPrincipal = ({ kind, arn }: KnownPrincipal): Principal =>
  kind === 'user'
    ? { kind, arn }
    : {
        kind,
        arn,
        // The path of a role is in no ARN of a session.
        sessionArn: `${arn.replace(':iam:', ':sts:').replace(/:role\/(?:.*\/)?/, ':assumed-role/')}/session`,
      };

/**
 * Gives what is known beforehand of a request.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-encryption-context
 */
function contextOf(action: ReadAction, { principal, secret, stage, now }: AccessQuestion): RequestContext {
  const region = regionIn(secret.arn);
  const tags = (prefix: string, of: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => [`${prefix}/${name}`, value]));
  const common = {
    ...tags('aws:PrincipalTag', principal.tags),
    'aws:RequestedRegion': region,
    'aws:CurrentTime': now.toISOString(),
    'aws:EpochTime': String(Math.floor(now.getTime() / 1_000)),
    'aws:SecureTransport': 'true',
    'aws:PrincipalType': principal.kind === 'user' ? 'User' : 'AssumedRole',
  };
  if (action === 'kms:Decrypt') {
    return {
      ...common,
      'aws:ViaAWSService': 'true',
      'aws:CalledVia': ['secretsmanager.amazonaws.com'],
      'aws:CalledViaFirst': 'secretsmanager.amazonaws.com',
      'aws:CalledViaLast': 'secretsmanager.amazonaws.com',
      'kms:ViaService': `secretsmanager.${region}.amazonaws.com`,
      'kms:CallerAccount': accountIn(principal.arn),
      'kms:EncryptionContext:SecretARN': secret.arn,
      'kms:EncryptionContextKeys': ['SecretARN', 'SecretVersionId'],
      'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
    };
  }
  return {
    ...common,
    ...tags('aws:ResourceTag', secret.tags),
    ...tags('secretsmanager:ResourceTag', secret.tags),
    'aws:ViaAWSService': 'false',
    'secretsmanager:SecretId': secret.arn,
    'secretsmanager:VersionStage': stage,
  };
}

const relevant = /^(?:secretsmanager:GetSecretValue|kms:Decrypt)$/i;
const asPattern = (action: string): RegExp =>
  new RegExp(
    `^${action
      .replace(/[\\^$.+()[\]{}|]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'i',
  );
const reads = ['secretsmanager:GetSecretValue', 'kms:Decrypt'];

/** Leaves out the statements that say nothing of reading a secret, which most of an account's do. */
export const readingPart = (policy: Policy): Policy => ({
  ...policy,
  Statement: policy.Statement.filter(({ Action, NotAction }) => {
    if (NotAction !== undefined) return true;
    return (Action ?? []).some(
      (action) => relevant.test(action) || reads.some((one) => asPattern(action).test(one)),
    );
  }),
});
