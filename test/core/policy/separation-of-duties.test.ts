import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { frameworks } from '../../../core/policy/control.ts';
import {
  type Duty,
  duties,
  dutiesNotSeparated,
  separateDuties,
} from '../../../core/policy/separation-of-duties.ts';

const lead = 'arn:aws:iam::111122223333:role/lead';
const violations = (access: Partial<Record<Duty, readonly string[]>>) =>
  separateDuties(access, 'environments.prod.access');

test.each([
  ['approvers', 'operators', true],
  ['approvers', 'responders', true],
  ['approvers', 'policyAuthors', true],
  ['approvers', 'auditors', true],
  ['auditors', 'operators', true],
  ['auditors', 'responders', true],
  ['auditors', 'policyAuthors', true],
  // An operator on call may ask for revocations, and those who write policy may rotate.
  ['operators', 'responders', false],
  ['operators', 'policyAuthors', false],
  ['responders', 'policyAuthors', false],
] as const)('one principal as %s and %s: %s', (one, other, excluded) => {
  const found = violations({ [one]: [lead], [other]: [lead] });
  expect(found).toHaveLength(excluded ? 1 : 0);
  expect(found.map(({ severity }) => severity)).toEqual(excluded ? ['error'] : []);
});

test('each pair of duties is decided once', () => {
  const all = Object.fromEntries(duties.map((duty) => [duty, [lead]]));
  const pairs = violations(all).map(({ message }) => message.split(' let in')[0]);
  expect(new Set(pairs).size).toBe(pairs.length);
  expect(pairs).toHaveLength(7);
});

test('a violation names where, both duties, the principal, and what to do', () => {
  expect(violations({ approvers: [lead], responders: [lead] })).toEqual([
    {
      rule: dutiesNotSeparated.id,
      severity: 'error',
      subject: 'environments.prod.access.approvers',
      message: `approvers and responders let in the same principal: ${lead}`,
      fix: 'Name another role or group under environments.prod.access.approvers than under environments.prod.access.responders.',
    },
  ]);
});

test('its controls are of frameworks that reports know', () => {
  for (const control of dutiesNotSeparated.controls) {
    expect(frameworks.filter((framework) => control.startsWith(`${framework} `))).toHaveLength(1);
  }
});

describe('patterns', () => {
  const sso = (set: string) =>
    `arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_${set}_*`;
  const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
  const severities = (one: string, other: string) =>
    violations({ auditors: [one], operators: [other] }).map(({ severity }) => severity);

  test.each([
    [sso('Audit'), sso('Operate'), []],
    [sso('Audit'), sso('Audit'), ['error']],
    [sso('*'), sso('Operate'), ['error']],
    // Where the Identity Center is in us-east-1, the path has no region.
    [sso('Audit').replace('*/', '*'), sso('Operate').replace('*/', '*'), []],
    [sso('Audit').replace('*/', '*'), sso('Audit'), ['error']],
    [role('*'), sso('Operate'), ['error']],
    [role('audit-*'), role('audit-of-orders'), ['error']],
    [role('*-audit'), role('orders-*'), ['error']],
    [role('audit-*'), role('orders-*'), []],
    [role('audit'), role('audit').replace(':role/', ':user/'), []],
    [role('audit'), role('Audit'), []],
    ['111122223333', '111122223333', ['warning']],
    ['111122223333', role('orders'), ['warning']],
    [role('orders'), '444455556666', []],
    ['111122223333', '444455556666', []],
  ])('%s beside %s: %j', (one, other, expected) => {
    expect(severities(one, other)).toEqual(expected);
    expect(severities(other, one)).toEqual(expected);
  });

  test('what a pattern was filled with is let in by it, whatever the patterns', () => {
    const part = fc.constantFrom('a', 'b', 'ab', '*');
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.array(part, { maxLength: 6 }),
        (parts, fill) => {
          const pattern = parts.join('');
          const text = pattern.replaceAll('*', () => fill.join('').replaceAll('*', ''));
          expect(severities(role(pattern), role(text))).toEqual(['error']);
          expect(severities(role(pattern), role(`${text}c`))).toEqual(
            new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(`${text}c`) ? ['error'] : [],
          );
        },
      ),
    );
  });
});
