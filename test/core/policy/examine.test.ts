import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { frameworks } from '../../../core/policy/control.ts';
import { stages } from '../../../core/policy/demands.ts';
import { examine, violationsOf } from '../../../core/policy/examine.ts';
import { policyRules } from '../../../core/policy/rules/index.ts';
import { environmentOf, secretOf, today } from './facts.ts';

const unsafe = { notifies: false, secrets: [secretOf({ purpose: undefined })] };

describe('examine', () => {
  test.each(stages)('an environment that keeps to every rule breaks none of %s', (stage) => {
    expect(violationsOf(examine([environmentOf({ stage })], { today }))).toEqual([]);
  });

  test('errors come before warnings', () => {
    const violations = violationsOf(examine([environmentOf(unsafe)], { today }));
    expect(violations.map(({ rule, severity }) => [rule, severity])).toEqual([
      ['NobodyNotified', 'error'],
      ['PurposeMissing', 'warning'],
    ]);
  });

  test('the innermost severity counts, and off asks for nothing', () => {
    const severities = [
      { from: 'policy.severity', by: { NobodyNotified: 'off', PurposeMissing: 'off' } },
      { from: 'environments.prod.policy.severity', by: { PurposeMissing: 'error' } },
    ] as const;
    const answers = examine([environmentOf({ ...unsafe, policy: { severities } })], { today });
    expect(answers.find(({ rule }) => rule === 'NobodyNotified')?.outcome).toBe('not asked');
    expect(violationsOf(answers)).toMatchObject([{ rule: 'PurposeMissing', severity: 'error' }]);
  });

  test('what an inner policy does not ask for is not asked', () => {
    const answers = examine(
      [environmentOf({ ...unsafe, demands: { require: { notifications: false, purpose: false } } })],
      {
        today,
      },
    );
    expect(violationsOf(answers)).toEqual([]);
  });

  describe('waivers', () => {
    const waived = (waiver: object) =>
      examine(
        [
          environmentOf({
            ...unsafe,
            policy: {
              waivers: [
                {
                  path: 'w.0',
                  rule: 'PurposeMissing',
                  reason: 'being written',
                  until: '2026-12-31',
                  ...waiver,
                },
              ],
            },
          }),
        ],
        { today },
      ).find(({ rule }) => rule === 'PurposeMissing');

    test('one that counts names itself', () => {
      expect(waived({})).toMatchObject({ outcome: 'waived', waiver: { reason: 'being written' } });
    });
    test('one of the secret counts', () => expect(waived({ secret: 'orders' })?.outcome).toBe('waived'));
    test('one of another secret does not', () => expect(waived({ secret: 'other' })?.outcome).toBe('broken'));
    test('its last day counts', () => expect(waived({ until: today })?.outcome).toBe('waived'));
    test('after that it does not', () => expect(waived({ until: '2026-11-27' })?.outcome).toBe('broken'));
    test('one that is too long does not', () =>
      expect(waived({ until: '2027-12-31' })?.outcome).toBe('broken'));
  });
});

describe('rules', () => {
  const words = (id: string) => id.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();

  test('each is in a file of its name, and has a test in one of its name', () => {
    const names = policyRules.map(({ id }) => words(id)).toSorted();
    const files = (folder: string, end: string) =>
      readdirSync(new URL(folder, import.meta.url))
        .filter((file) => file.endsWith(end) && file !== 'index.ts')
        .map((file) => file.slice(0, -end.length))
        .toSorted();
    expect(files('../../../core/policy/rules/', '.ts')).toEqual(names);
    expect(files('./rules/', '.test.ts')).toEqual(names);
  });

  test.each(policyRules)('$id names controls of known frameworks', ({ controls }) => {
    expect(controls.length).toBeGreaterThan(0);
    for (const control of controls) {
      expect(frameworks.some((framework) => control.startsWith(`${framework} `))).toBe(true);
    }
  });
});
