import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

const lead = 'arn:aws:iam::111122223333:role/lead';

describe('DutiesNotSeparated', () => {
  test('duties of different principals are taken', () => {
    expect(ofEnvironment('DutiesNotSeparated', {})).toMatchObject({ outcome: 'met' });
  });

  test('a principal that approves what it asks for is not', () => {
    expect(
      ofEnvironment('DutiesNotSeparated', {
        access: { responders: [lead], approvers: [lead], auditors: [] },
      }),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: `approvers and responders let in the same principal: ${lead}`,
        fix: expect.stringContaining('environments.prod.access.approvers'),
      },
    });
  });
});
