import { describe, expect, test } from '@jest/globals';
import { policySchema } from '../../../core/iam/document.ts';
import { decide } from '../../../core/iam/evaluate.ts';
import type { AccessRequest, Principal } from '../../../core/iam/request.ts';

const account = '111122223333';
const other = '444455556666';
const user: Principal = { kind: 'user', arn: `arn:aws:iam::${account}:user/anna` };
const role: Principal = {
  kind: 'role',
  arn: `arn:aws:iam::${account}:role/app`,
  sessionArn: `arn:aws:sts::${account}:assumed-role/app/one`,
};
const secret = `arn:aws:secretsmanager:eu-central-1:${account}:secret:/prod/orders-AbCdEf`;
const read = 'secretsmanager:GetSecretValue';

const policy = (...statements: object[]) =>
  policySchema.parse({ Version: '2012-10-17', Statement: statements });
const allow = (more: object = {}) => ({ Effect: 'Allow', Action: read, Resource: secret, ...more });
const deny = (more: object = {}) => ({ Sid: 'No', Effect: 'Deny', Action: '*', Resource: '*', ...more });
const to = (...arns: string[]) => ({ Principal: { AWS: arns } });
const allowing = policy(allow());
const nothing = policy(allow({ Action: 's3:GetObject' }));
const root = `arn:aws:iam::${account}:root`;

const ask = (principal: Principal, more: Partial<AccessRequest> = {}): AccessRequest => ({
  principal,
  action: read,
  resource: secret,
  resourceAccount: account,
  ...more,
});

const logic = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic';
const basics = `${logic}_policy-eval-basics.html`;
const denying = `${logic}_policy-eval-denyallow.html`;
const crossAccount = `${logic}-cross-account.html`;
const boundaries = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html';
const keyPolicies = 'https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html';
const trust = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html';

type Row = readonly [
  what: string,
  page: string,
  request: AccessRequest,
  policies: Parameters<typeof decide>[1],
  answer: string,
];

/** The cases that AWS's documentation describes; each row has its page. */
const cases: readonly Row[] = [
  ['without any policy', denying, ask(role), {}, 'not allowed: identity'],
  ['with a policy of its own', denying, ask(role), { identity: [allowing] }, 'allowed: identity'],
  [
    'denied beside the allow',
    denying,
    ask(role),
    { identity: [allowing, policy(deny())] },
    'denied: identity (No)',
  ],
  [
    'denied by the resource',
    denying,
    ask(role),
    { identity: [allowing], resource: policy({ ...deny(), ...to(role.arn) }) },
    'denied: resource (No)',
  ],
  [
    'denied by the resource to somebody else',
    denying,
    ask(role),
    { identity: [allowing], resource: policy({ ...deny(), ...to(user.arn) }) },
    'allowed: identity',
  ],
  // Organizations.
  [
    'where a level of the organization allows nothing',
    denying,
    ask(role),
    { identity: [allowing], serviceControl: [[allowing], [nothing]] },
    'not allowed: service control',
  ],
  [
    'where each level allows it',
    denying,
    ask(role),
    { identity: [allowing], serviceControl: [[allowing], [nothing, allowing]] },
    'allowed: identity',
  ],
  [
    'denied by the organization',
    denying,
    ask(role),
    { identity: [allowing], serviceControl: [[allowing, policy(deny())]] },
    'denied: service control (No)',
  ],
  [
    'where the organization of the resource allows nothing',
    denying,
    ask(role),
    { identity: [allowing], resourceControl: [[nothing]] },
    'not allowed: resource control',
  ],
  // Boundaries and sessions.
  [
    'beyond the boundary',
    boundaries,
    ask(role),
    { identity: [allowing], boundary: nothing },
    'not allowed: boundary',
  ],
  ['with a boundary alone', boundaries, ask(role), { boundary: allowing }, 'not allowed: identity'],
  [
    'within the boundary',
    boundaries,
    ask(role),
    { identity: [allowing], boundary: allowing },
    'allowed: identity',
  ],
  [
    'beyond the session',
    basics,
    ask(role),
    { identity: [allowing], session: nothing },
    'not allowed: session',
  ],
  // Policies of resources in the same account.
  [
    'for a user whom the resource names',
    basics,
    ask(user),
    { resource: policy(allow(to(user.arn))) },
    'allowed: resource',
  ],
  [
    'for such a user beyond its boundary',
    boundaries,
    ask(user),
    { boundary: nothing, resource: policy(allow(to(user.arn))) },
    'allowed: resource',
  ],
  [
    'for such a user whom the boundary denies',
    boundaries,
    ask(user),
    { boundary: policy(deny()), resource: policy(allow(to(user.arn))) },
    'denied: boundary (No)',
  ],
  [
    'for a session of a role that the resource names',
    boundaries,
    ask(role),
    { resource: policy(allow(to(role.arn))) },
    'allowed: resource',
  ],
  [
    'for such a session beyond the boundary',
    boundaries,
    ask(role),
    { boundary: nothing, resource: policy(allow(to(role.arn))) },
    'not allowed: boundary',
  ],
  [
    'for such a session beyond its own policy',
    boundaries,
    ask(role),
    { session: nothing, resource: policy(allow(to(role.arn))) },
    'not allowed: session',
  ],
  [
    'for a session that the resource names itself',
    boundaries,
    ask(role),
    { boundary: nothing, session: nothing, resource: policy(allow(to(role.sessionArn))) },
    'allowed: resource',
  ],
  [
    'where the resource names the account',
    trust,
    ask(role),
    { resource: policy(allow(to(root))) },
    'not allowed: identity',
  ],
  [
    'where the resource names the account and the role may',
    trust,
    ask(role),
    { identity: [allowing], resource: policy(allow(to(account))) },
    'allowed: identity',
  ],
  [
    'where the resource names everybody',
    trust,
    ask(role),
    { resource: policy(allow({ Principal: '*' })) },
    'allowed: resource',
  ],
  [
    'where the resource denies all but one',
    trust,
    ask(role),
    { identity: [allowing], resource: policy({ ...deny(), NotPrincipal: { AWS: [user.arn] } }) },
    'denied: resource (No)',
  ],
  // Two accounts.
  [
    'elsewhere, where only the resource says so',
    crossAccount,
    ask(role, { resourceAccount: other }),
    { resource: policy(allow(to(role.arn))) },
    'not allowed: identity',
  ],
  [
    'elsewhere, where only the role says so',
    crossAccount,
    ask(role, { resourceAccount: other }),
    { identity: [allowing] },
    'not allowed: resource',
  ],
  [
    'elsewhere, where both say so',
    crossAccount,
    ask(role, { resourceAccount: other }),
    { identity: [allowing], resource: policy(allow(to(root))) },
    'allowed: identity',
  ],
  [
    'elsewhere, beyond the boundary',
    crossAccount,
    ask(role, { resourceAccount: other }),
    { identity: [allowing], boundary: nothing, resource: policy(allow(to(role.arn))) },
    'not allowed: boundary',
  ],
  // What decides alone.
  [
    'with a key whose policy says nothing of it',
    keyPolicies,
    ask(role, { action: 'kms:Decrypt' }),
    { identity: [policy(allow({ Action: 'kms:*' }))] },
    'not allowed: resource',
  ],
  [
    'with a key that leaves it to the account',
    keyPolicies,
    ask(role, { action: 'kms:Decrypt' }),
    {
      identity: [policy(allow({ Action: 'kms:*' }))],
      resource: policy(allow({ Action: 'kms:*', ...to(root) })),
    },
    'allowed: identity',
  ],
  [
    'with a key that leaves it to the account, which says nothing',
    keyPolicies,
    ask(role, { action: 'kms:Decrypt' }),
    { resource: policy(allow({ Action: 'kms:*', ...to(root) })) },
    'not allowed: identity',
  ],
  [
    'with a key that names the role',
    keyPolicies,
    ask(role, { action: 'kms:Decrypt' }),
    { resource: policy(allow({ Action: 'kms:*', ...to(role.arn) })) },
    'allowed: resource',
  ],
  [
    'of a role that trusts somebody else',
    trust,
    ask(user, { action: 'sts:AssumeRole' }),
    {
      identity: [policy(allow({ Action: 'sts:*' }))],
      resource: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', ...to(role.arn) }),
    },
    'not allowed: resource',
  ],
  [
    'of a role that trusts the user',
    trust,
    ask(user, { action: 'sts:AssumeRole' }),
    { resource: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', ...to(user.arn) }) },
    'allowed: resource',
  ],
  // Services of AWS.
  [
    'for a service that the resource names',
    trust,
    ask({ kind: 'service', service: 'events.amazonaws.com' }),
    { resource: policy(allow({ Principal: { Service: 'events.amazonaws.com' } })) },
    'allowed: resource',
  ],
  [
    'for another service',
    trust,
    ask({ kind: 'service', service: 'sns.amazonaws.com' }),
    { identity: [allowing], resource: policy(allow({ Principal: { Service: 'events.amazonaws.com' } })) },
    'not allowed: resource',
  ],
];

test.each(cases)('%s: %s', (_what, _page, request, policies, answer) => {
  const decision = decide(request, policies);
  const sid = 'sid' in decision && decision.sid !== undefined ? ` (${decision.sid})` : '';
  expect(`${decision.outcome}: ${decision.by}${sid}`).toBe(answer);
});

describe('a statement', () => {
  const may = (statement: object, more: Partial<AccessRequest> = {}) =>
    decide(ask(role, more), { identity: [policy(allow(statement))] }).outcome === 'allowed';

  test('names actions in any case, with wildcards, or all but some', () => {
    expect(may({ Action: 'SecretsManager:getsecret*' })).toBe(true);
    expect(may({ Action: 'secretsmanager:GetSecretValu?' })).toBe(true);
    expect(may({ Action: ['s3:*', 'secretsmanager:Get'] })).toBe(false);
    expect(may({ Action: undefined, NotAction: 'iam:*' })).toBe(true);
    expect(may({ Action: undefined, NotAction: ['secretsmanager:Get*'] })).toBe(false);
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
  test('names resources, where only a star at the end of a segment reaches over colons', () => {
    expect(may({ Resource: '*' })).toBe(true);
    expect(may({ Resource: `arn:aws:secretsmanager:*:${account}:secret:/prod/*` })).toBe(true);
    expect(may({ Resource: 'arn:aws:secretsmanager:*' })).toBe(true);
    expect(may({ Resource: `arn:aws:secretsmanager:eu*${account}:secret:/prod/*` })).toBe(false);
    expect(may({ Resource: secret.replace('AbCdEf', '??????') })).toBe(true);
    expect(may({ Resource: secret.toUpperCase() })).toBe(false);
    expect(may({ Resource: undefined, NotResource: `${secret}*` })).toBe(false);
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
  test('writes what the request says in the place of variables, and no wildcard comes in that way', () => {
    const own = { Resource: secret.replace('prod', `\${aws:PrincipalTag/environment}`) };
    const tagged = (value: string) => ({ context: { 'aws:principaltag/Environment': value } });
    expect(may(own, tagged('prod'))).toBe(true);
    expect(may(own, tagged('dev'))).toBe(false);
    expect(may(own, tagged('*'))).toBe(false);
    expect(may(own)).toBe(false);
    const other = { Resource: secret.replace('prod', `\${aws:PrincipalTag/environment, 'prod'}`) };
    expect(may(other)).toBe(true);
    expect(may({ Resource: `${secret}\${*}` }, { resource: `${secret}*` })).toBe(true);
    expect(may({ Resource: `${secret}\${*}` }, { resource: `${secret}x` })).toBe(false);
  });

  test('knows who asks without being told', () => {
    const condition = (key: string, value: string) => ({ Condition: { StringEquals: { [key]: value } } });
    expect(may(condition('aws:PrincipalArn', role.arn))).toBe(true);
    expect(may(condition('aws:PrincipalAccount', account))).toBe(true);
    expect(may(condition('aws:ResourceAccount', other))).toBe(false);
  });
});

test.each<[string, object]>([
  ['an effect that is none', { Effect: 'Permit', Action: '*', Resource: '*' }],
  ['neither Action nor NotAction', { Effect: 'Allow', Resource: '*' }],
  ['both Resource and NotResource', { Effect: 'Allow', Action: '*', Resource: '*', NotResource: '*' }],
  ['an operator that IAM does not know', { ...allow(), Condition: { StringIs: { a: 'b' } } }],
])('a document with %s is refused', (_, statement) => {
  expect(policySchema.safeParse({ Version: '2012-10-17', Statement: statement }).success).toBe(false);
});
