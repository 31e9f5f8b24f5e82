import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { conditionsHold } from '../../core/iam/conditions.ts';
import { type Policy, policySchema, type Statement } from '../../core/iam/document.ts';
import { decide } from '../../core/iam/evaluate.ts';
import type { RequestContext } from '../../core/iam/request.ts';
import { separateDuties } from '../../core/policy/separation-of-duties.ts';
import { principalSchema } from '../../lib/config/expressions.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'identity.md'), 'utf8');
const blocks = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = '']) => JSON.parse(text));
const policies: readonly Policy[] = blocks
  .filter((block) => 'Statement' in block)
  .map((block) => policySchema.parse(block));
const statementWith = (action: string, text: string): Statement => {
  const found = policies
    .flatMap(({ Statement }) => Statement)
    .filter((one) => one.Action?.includes(action) === true && JSON.stringify(one).includes(text));
  expect(found).toHaveLength(1);
  return found[0] as Statement;
};

test('each block of the page is JSON, and all but the token are policies', () => {
  expect([blocks.length, policies.length]).toEqual([4, 3]);
});

test('the permission set assumes roles of the environment, and no other', () => {
  const [policy] = policies;
  const assume = (role: string) =>
    decide(
      {
        principal: { kind: 'user', arn: 'arn:aws:iam::111122223333:user/ada' },
        action: 'sts:AssumeRole',
        resource: `arn:aws:iam::111122223333:role/${role}`,
        resourceAccount: '111122223333',
      },
      {
        identity: policy === undefined ? [] : [policy],
        resource: policySchema.parse({
          Statement: { Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'sts:AssumeRole' },
        }),
      },
    ).outcome;
  expect(assume('rekey-prod-access-ResponderRole1A2B3C4D-Xy')).toBe('allowed');
  expect(assume('rekey-test-access-ResponderRole1A2B3C4D-Xy')).toBe('not allowed');
  expect(assume('cdk-hnb659fds-deploy-role-111122223333-eu-central-1')).toBe('not allowed');
});

describe('the trust of a pipeline', () => {
  const holds = (statement: Statement, context: RequestContext) =>
    conditionsHold(statement.Condition, context);

  test('of GitLab lets in one branch of one project', () => {
    const trust = statementWith('sts:AssumeRoleWithWebIdentity', 'gitlab.com');
    const token = (project: string, ref = 'main') => ({
      'gitlab.com:aud': 'https://gitlab.com',
      'gitlab.com:sub': `project_path:${project}:ref_type:branch:ref:${ref}`,
    });
    expect(holds(trust, token('acme/orders'))).toBe(true);
    expect(holds(trust, token('acme/orders', 'mine'))).toBe(false);
    expect(holds(trust, token('mallory/orders'))).toBe(false);
    expect(holds(trust, { 'gitlab.com:aud': 'https://gitlab.com' })).toBe(false);
  });

  test('of Okta takes the tag of an owner from the token of the page, and no other tag', () => {
    const trust = statementWith('sts:TagSession', 'okta');
    const token = blocks.find((block) => 'iss' in block);
    const tags: Record<string, string[]> = token['https://aws.amazon.com/tags'].principal_tags;
    const request = (more: Record<string, string[]>): RequestContext => {
      const all = { ...tags, ...more };
      return {
        'acme.okta.com/oauth2/default:aud': token.aud,
        'aws:TagKeys': Object.keys(all),
        ...Object.fromEntries(Object.entries(all).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
      };
    };
    expect(holds(trust, request({}))).toBe(true);
    expect(holds(trust, request({ 'rekey:environment': ['test'] }))).toBe(false);
    expect(holds(trust, request({ 'rekey:owner': ['everybody'] }))).toBe(false);
  });
});

test('the permission sets of the page are principals of the configuration, and no two duties share one', () => {
  const set = (name: string) =>
    /`(arn:aws:iam::.*AWSReservedSSO_)\$/.exec(page)?.[1]?.concat(`${name}_*`) ?? 'nothing';
  const access = Object.fromEntries(
    [...page.matchAll(/(\w+): \[permissionSet\('(\w+)'\)/g)].map(([, duty = '', name = '']) => [
      duty,
      [set(name)],
    ]),
  );
  expect(Object.keys(access)).toEqual(['operators', 'responders', 'auditors', 'policyAuthors', 'approvers']);
  for (const [principal] of Object.values(access)) expect(principalSchema.parse(principal)).toBe(principal);
  expect(separateDuties(access, 'access')).toEqual([]);
});
