import { describe, expect, test } from '@jest/globals';
import { conditionsHold } from '../../../core/iam/conditions.ts';
import { policySchema } from '../../../core/iam/document.ts';
import type { RequestContext } from '../../../core/iam/request.ts';

/** Tells whether a condition of a policy, as it is written there, holds. */
function holds(condition: object, context: RequestContext): boolean {
  const { Statement } = policySchema.parse({
    Statement: { Effect: 'Allow', Action: '*', Resource: '*', Condition: condition },
  });
  return conditionsHold(Statement[0]?.Condition, context);
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
test.each<[string, object, RequestContext, boolean]>([
  ['equal texts', { StringEquals: { k: 'a' } }, { k: 'a' }, true],
  ['case', { StringEquals: { k: 'a' } }, { k: 'A' }, false],
  ['no case', { StringEqualsIgnoreCase: { k: 'a' } }, { k: 'A' }, true],
  ['no wildcards where texts are equal', { StringEquals: { k: 'a*' } }, { k: 'ab' }, false],
  ['wildcards', { StringLike: { k: 'a*c?' } }, { k: 'abbcd' }, true],
  ['numbers', { NumericLessThanEquals: { k: 10 } }, { k: '9.5' }, true],
  ['numbers, not less', { NumericLessThan: { k: '10' } }, { k: '10' }, false],
  ['dates', { DateGreaterThan: { k: '2026-01-01T00:00:00Z' } }, { k: '2026-01-02T00:00:00Z' }, true],
  ['dates as seconds', { DateLessThan: { k: '2026-01-01T00:00:00Z' } }, { k: '1767225599' }, true],
  ['truth, as JSON has it', { Bool: { k: true } }, { k: 'true' }, true],
  ['addresses', { IpAddress: { k: '203.0.113.0/24' } }, { k: '203.0.113.7' }, true],
  [
    'addresses elsewhere',
    { NotIpAddress: { k: ['203.0.113.0/24', '2001:db8::/32'] } },
    { k: '198.51.100.1' },
    true,
  ],
  ['addresses of IPv6', { IpAddress: { k: '2001:db8::/32' } }, { k: '2001:db8::1' }, true],
  [
    'ARNs, a segment each',
    { ArnLike: { k: 'arn:aws:iam::*:role/app-*' } },
    { k: 'arn:aws:iam::1:role/app-1' },
    true,
  ],
  [
    'ARNs, no star over a colon',
    { ArnLike: { k: 'arn:aws:*:role/app' } },
    { k: 'arn:aws:iam::1:role/app' },
    false,
  ],
  ['a key in another case', { StringEquals: { 'AWS:sourceip': 'a' } }, { 'aws:SourceIp': 'a' }, true],
  ['all operators', { StringEquals: { k: 'a' }, Bool: { t: 'true' } }, { k: 'a', t: 'false' }, false],
  ['all keys', { StringEquals: { k: 'a', l: 'b' } }, { k: 'a', l: 'c' }, false],
])('compares %s', (_, condition, context, expected) => {
  expect(holds(condition, context)).toBe(expected);
});

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
describe('several values', () => {
  test('of a policy are alternatives, and of a negated operator none may be there', () => {
    expect(holds({ StringEquals: { k: ['a', 'b'] } }, { k: 'b' })).toBe(true);
    expect(holds({ StringNotEquals: { k: ['a', 'b'] } }, { k: 'b' })).toBe(false);
    expect(holds({ StringNotEquals: { k: ['a', 'b'] } }, { k: 'c' })).toBe(true);
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
  test.each<[object, string[] | undefined, boolean]>([
    [{ 'ForAllValues:StringEquals': { k: ['a', 'b'] } }, ['a', 'b'], true],
    [{ 'ForAllValues:StringEquals': { k: ['a', 'b'] } }, ['a', 'c'], false],
    [{ 'ForAllValues:StringEquals': { k: ['a'] } }, undefined, true],
    [{ 'ForAnyValue:StringLike': { k: ['a*'] } }, ['b', 'ab'], true],
    [{ 'ForAnyValue:StringLike': { k: ['a*'] } }, ['b', 'c'], false],
    [{ 'ForAnyValue:StringEquals': { k: ['a'] } }, undefined, false],
    [{ 'ForAllValues:StringNotEquals': { k: ['a'] } }, ['b', 'a'], false],
    [{ 'ForAnyValue:StringNotEquals': { k: ['a'] } }, ['b', 'a'], true],
  ])('of a request are a set: %j', (condition, k, expected) => {
    expect(holds(condition, k === undefined ? {} : { k })).toBe(expected);
  });
});

describe('a key that is missing', () => {
  test.each<[object, boolean]>([
    [{ StringEquals: { k: 'a' } }, false],
    [{ StringNotEquals: { k: 'a' } }, true],
    [{ StringEqualsIfExists: { k: 'a' } }, true],
    [{ BoolIfExists: { k: 'false' } }, true],
    [{ Null: { k: 'true' } }, true],
    [{ Null: { k: 'false' } }, false],
  ])('%j', (condition, expected) => {
    expect(holds(condition, {})).toBe(expected);
  });

  test('is not missing where it is there', () => {
    expect(holds({ Null: { k: true } }, { k: 'a' })).toBe(false);
    expect(holds({ StringEqualsIfExists: { k: 'a' } }, { k: 'b' })).toBe(false);
  });
});
