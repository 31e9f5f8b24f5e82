import { describe, expect, test } from '@jest/globals';
import { comparePolicies } from '../../../core/policy/compare.ts';
import type { Demands } from '../../../core/policy/demands.ts';
import { type EnvironmentChanges, environmentOf } from './facts.ts';

const between = (before: EnvironmentChanges, after: EnvironmentChanges) =>
  comparePolicies(environmentOf(before).policy, environmentOf(after).policy).map(
    ({ what, direction }) => `${what} ${direction}`,
  );
const demanding = (before: Partial<Demands>, after: Partial<Demands>) =>
  between({ demands: before }, { demands: after });

describe('comparePolicies', () => {
  test('equal policies differ in nothing', () => expect(between({}, {})).toEqual([]));

  test.each<[string, Partial<Demands>, Partial<Demands>]>([
    ['rotateWithinDays', { rotateWithinDays: 90 }, { rotateWithinDays: 30 }],
    ['overlapHours', { overlapHours: 72 }, { overlapHours: 0 }],
    ['passwordBits', { passwordBits: 96 }, { passwordBits: 128 }],
    ['auditRetentionDays', { auditRetentionDays: 365 }, { auditRetentionDays: 400 }],
    ['types', {}, { types: ['mysql'] }],
    ['types', { types: ['mysql', 'redis'] }, { types: ['mysql'] }],
    ['strategies', {}, { strategies: ['dual-credential'] }],
    ['promotion', {}, { promotion: { from: 'staging' } }],
    ['require.brake', { require: { brake: false } }, {}],
  ])('%s becomes tighter one way, and looser the other', (what, loose, tight) => {
    expect(demanding(loose, tight)).toEqual([`${what} tighter`]);
    expect(demanding(tight, loose)).toEqual([`${what} looser`]);
  });

  test('another list is looser where it allows what was not allowed', () => {
    expect(demanding({ types: ['mysql'] }, { types: ['redis'] })).toEqual(['types looser']);
  });

  test('severities go by their weight', () => {
    const by = (severity: 'error' | 'warning' | 'off'): EnvironmentChanges => ({
      policy: { severities: [{ from: 'policy.severity', by: { BrakeOff: severity } }] },
    });
    expect(between({}, by('error'))).toEqual(['severity.BrakeOff tighter']);
    expect(between({}, by('off'))).toEqual(['severity.BrakeOff looser']);
    expect(between(by('warning'), {})).toEqual([]);
  });

  test('a waiver that comes is looser, one that goes is tighter', () => {
    const waived: EnvironmentChanges = {
      policy: { waivers: [{ path: 'w', rule: 'BrakeOff', reason: 'a load test', until: '2027-01-01' }] },
    };
    expect(between({}, waived)).toEqual(['waivers looser']);
    expect(between(waived, {})).toEqual(['waivers tighter']);
  });

  test('a stage changes its demands', () => {
    expect(between({ stage: 'development' }, { stage: 'production' })).toEqual(
      expect.arrayContaining(['stage other', 'rotateWithinDays tighter', 'require.purpose tighter']),
    );
  });
});
