import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('WaiverTooLong', () => {
  test('a waiver that ends in time is taken', () => {
    expect(
      ofEnvironment('WaiverTooLong', {
        policy: { waivers: [{ path: 'w.0', rule: 'BrakeOff', reason: 'a load test', until: '2027-02-26' }] },
      }),
    ).toMatchObject({ outcome: 'met' });
  });

  test('one that ends a day later is not', () => {
    expect(
      ofEnvironment('WaiverTooLong', {
        policy: { waivers: [{ path: 'w.0', rule: 'BrakeOff', reason: 'a load test', until: '2027-02-27' }] },
      }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'w.0 ends on 2027-02-27; the policy allows 90 days, so until 2027-02-26',
        fix: expect.stringContaining('2027-02-26 or earlier'),
      },
    });
  });
});
