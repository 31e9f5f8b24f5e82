import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

describe('FingerprintsOff', () => {
  test('fingerprints are taken', () => {
    expect(ofEnvironment('FingerprintsOff', {})).toMatchObject({ outcome: 'met' });
  });

  test('none are not', () => {
    expect(ofEnvironment('FingerprintsOff', { hasFingerprints: false })).toMatchObject({
      outcome: 'broken',
      broken: { fix: 'Set environments.prod.fingerprints to true.' },
    });
  });
});
