import { describe, expect, test } from '@jest/globals';
import { secretTypes } from '../../rotators/registry.ts';
import { missingServers } from './scene.ts';

describe('the server of', () => {
  for (const type of secretTypes) {
    const reason = missingServers.get(type);
    // Elsewhere the suite leaves such a type out and says so; where everything is provided, nothing may be left out.
    const report = reason === undefined || process.env.CI === 'true' ? test : test.skip;
    report(reason === undefined ? type : `${type}: ${reason}`, () => {
      expect(reason).toBeUndefined();
    });
  }
});
