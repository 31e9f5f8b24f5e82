import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('AccountMissing', () => {
  test('account and region are taken', () => {
    expect(ofEnvironment('AccountMissing', {})).toMatchObject({ outcome: 'met' });
  });

  test('neither is not', () => {
    expect(ofEnvironment('AccountMissing', { account: undefined, region: undefined })).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'it names no account and no region',
        fix: expect.stringContaining('environments.prod.account and environments.prod.region'),
      },
    });
  });

  test('development is not asked', () => {
    expect(ofEnvironment('AccountMissing', { stage: 'development', account: undefined })).toMatchObject({
      outcome: 'not asked',
    });
  });
});
