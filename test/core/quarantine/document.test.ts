import { describe, expect, test } from '@jest/globals';
import { policySchema } from '../../../core/iam/document.ts';
import { decide } from '../../../core/iam/evaluate.ts';
import type { RequestContext } from '../../../core/iam/request.ts';
import {
  asUnquarantined,
  quarantineDocument,
  quarantinePolicyName,
} from '../../../core/quarantine/document.ts';
import type { QuarantineScope } from '../../../core/quarantine/state.ts';

const standing = (scope: QuarantineScope) => ({
  requestId: '0195a000-0000-7000-8000-00000000000a',
  scope,
  before: '2026-03-01T12:00:01Z',
  requestedAt: '2026-03-01T12:00:00.500Z',
});
const [work] = [policySchema.parse({ Statement: { Effect: 'Allow', Action: '*', Resource: '*' } })];
const sessionArn = 'arn:aws:sts::111122223333:assumed-role/app-worker/a';
const outcome = (scope: QuarantineScope, context: RequestContext) =>
  decide(
    {
      principal: { kind: 'role', arn: 'arn:aws:iam::111122223333:role/app-worker', sessionArn },
      action: 'secretsmanager:GetSecretValue',
      resource: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbCdEf',
      resourceAccount: '111122223333',
      context,
    },
    { identity: [work, policySchema.parse(JSON.parse(quarantineDocument(standing(scope))))] },
  ).outcome;
const simulated = Object.fromEntries(
  asUnquarantined.map(({ ContextKeyName, ContextKeyValues }) => [ContextKeyName, ContextKeyValues]),
);

describe('the policy of a quarantine', () => {
  test('of all denies, whatever AWS says or leaves out of a request', () => {
    const issued = { 'aws:TokenIssueTime': '2026-03-02T00:00:00Z' };
    for (const context of [{}, issued, { ...issued, 'aws:EpochTime': '1772366400' }]) {
      expect(outcome('all', context)).toBe('denied');
    }
  });

  test('of sessions denies those that began before', () => {
    expect(outcome('sessions', { 'aws:TokenIssueTime': '2026-03-01T12:00:00Z' })).toBe('denied');
    expect(outcome('sessions', { 'aws:TokenIssueTime': '2026-03-01T12:00:01Z' })).toBe('allowed');
  });

  test.each<QuarantineScope>(['all', 'sessions'])(
    'of %s denies nothing in a simulation that asks what would be without it',
    (scope) => {
      expect(outcome(scope, simulated)).toBe('allowed');
    },
  );

  test('has a name of its own in each environment and region', () => {
    const names = [
      quarantinePolicyName('prod', 'eu-central-1'),
      quarantinePolicyName('prod', 'us-east-1'),
      quarantinePolicyName('staging', 'eu-central-1'),
    ];
    expect(new Set(names).size).toBe(3);
    const longest = quarantinePolicyName('e'.repeat(32), 'ap-southeast-1');
    expect(longest).toMatch(/^[\w+=,.@-]{1,128}$/);
  });

  test('leaves room for four and more on a user, whose inline policies have 2,048 characters together', () => {
    for (const scope of ['all', 'sessions'] as const) {
      expect(quarantineDocument(standing(scope)).length).toBeLessThan(256);
    }
  });
});
