import { describe, expect, test } from '@jest/globals';
import {
  callsOf,
  ceilingOf,
  doneWithout,
  quotas,
  rotationPace,
  rotationPaceAt,
  secondsFor,
} from '../../../core/pace/quotas.ts';

describe('the quotas of AWS', () => {
  test('let 25 secrets a second rotate: each is written twice, of 50 writes', () => {
    expect(ceilingOf(callsOf.rotate, doneWithout)).toEqual({ by: 'secretWrites', perSecond: 25 });
  });

  test('would let fewer rotate where definitions could not be done without', () => {
    expect(ceilingOf(callsOf.rotate)?.by).toBe('parameterReads');
  });

  test('bind a containment by its record alone', () => {
    expect(ceilingOf(callsOf.contain)).toEqual({ by: 'eventPuts', perSecond: 400 });
  });

  test('bind a proof by the list of versions', () => {
    expect(ceilingOf(callsOf.verify)).toEqual({ by: 'secretVersionLists', perSecond: 50 });
    expect(ceilingOf({})).toBeUndefined();
  });

  test('name the page of AWS that each is from', () => {
    for (const { source } of Object.values(quotas))
      expect(source).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
  });
});

describe('the pace of rotations in an emergency', () => {
  test('takes no more of a quota in any second than there is', () => {
    const { ratePerSecond, burst } = rotationPace;
    for (const [name, calls] of Object.entries(callsOf.rotate)) {
      if (doneWithout.has(name as keyof typeof quotas)) continue;
      const inASecond = (ratePerSecond + burst) * calls;
      expect(inASecond).toBeLessThanOrEqual(quotas[name as keyof typeof quotas].perSecond);
    }
  });

  test('is 20 a second, 5 at once', () => {
    expect(rotationPace).toEqual({ ratePerSecond: 20, burst: 5 });
    expect(secondsFor(1, rotationPace)).toBe(0);
    expect(secondsFor(1_005, rotationPace)).toBe(50);
  });

  test('is another one where a deployment says so, with no more at once than in a second', () => {
    expect(rotationPaceAt()).toBe(rotationPace);
    expect(rotationPaceAt(2)).toEqual({ ratePerSecond: 2, burst: 2 });
    expect(rotationPaceAt(40)).toEqual({ ratePerSecond: 40, burst: 5 });
  });
});
