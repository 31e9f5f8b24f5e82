import { describe, expect, test } from '@jest/globals';
import { environmentOf, ofEnvironment, ofSecret } from '../facts.ts';

describe('DefinitionNotPromoted', () => {
  test('no path asks for nothing', () => {
    expect(ofSecret('DefinitionNotPromoted', {})).toMatchObject({ outcome: 'not asked' });
  });

  test('a definition that is in the environment before is taken', () => {
    expect(
      ofEnvironment('DefinitionNotPromoted', { demands: { promotion: { from: 'staging' } } }, [
        environmentOf({ name: 'staging' }),
      ]),
    ).toMatchObject({ outcome: 'met' });
  });

  test('one that is not there is not', () => {
    expect(
      ofEnvironment('DefinitionNotPromoted', { demands: { promotion: { from: 'staging' } } }, [
        environmentOf({ name: 'staging', secrets: [] }),
      ]),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'environments.staging.secrets has no orders',
        fix: expect.stringContaining('see it rotate'),
      },
    });
  });
});
