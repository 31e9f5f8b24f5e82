import { describe, expect, test } from '@jest/globals';
import type { Rotator } from '../../../core/rotator.ts';
import { credentialKeysOf } from '../../../lambdas/functions/credential-keys.ts';
import { recipes } from '../../../rotators/http/recipes/index.ts';
import { rotatedTypes } from '../../../rotators/registry.ts';
import { loadRotator } from '../../load-rotator.ts';

const sample = { username: 'app', password: 'x', accessKeyId: 'AKIA', secretAccessKey: 'y', host: 'db' };

describe('the keys of the index are those that rotators name', () => {
  test.each(rotatedTypes.filter((type) => type !== 'http'))('%s', async (type) => {
    const { credentialKeys } = (await loadRotator(type)) as Rotator<object>;
    const keys = credentialKeysOf(type)(sample);
    expect(keys).toEqual(expect.arrayContaining([...credentialKeys(sample)]));
    expect(keys).not.toContain('host');
  });

  test.each(recipes.names)('http, %s', async (recipe) => {
    const { credentialKeys } = (await loadRotator('http')) as Rotator<object>;
    const [named, own] = [credentialKeysOf('http')({ recipe }), credentialKeys({ recipe })];
    expect(own).toEqual(expect.arrayContaining([...named]));
    expect(named).toEqual([
      ...new Set([recipes.get(recipe)?.credential.id, recipes.get(recipe)?.credential.secret]),
    ]);
  });
});

test('where nobody says which key holds the credential, places are left out and all else counts', () => {
  const secret = { username: 'app', host: 'db', port: 1, apiKey: 'x', masterarn: 'arn', pin: 'y' };
  for (const type of ['external', 'of a later version']) {
    expect(credentialKeysOf(type)(secret)).toEqual(['apiKey', 'pin']);
  }
  expect(credentialKeysOf('generic')({ rotates: ['missing'], apiKey: 'x' })).toEqual(['apiKey']);
  expect(credentialKeysOf('http')({ service: 'gitlab', token: 'x' })).toEqual(['token']);
});
