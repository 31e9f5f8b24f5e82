import { describe, expect, test } from '@jest/globals';
import { defineConfig } from '../../../lib/config/config.ts';
import type { ConfigurationInput } from '../../../lib/config/schema.ts';

type Environment = ConfigurationInput['environments'][string];

const licence = {
  adopt: 'vendor/licence',
  owner: 'team-web',
  purpose: 'opens the API of a vendor',
  replaceEveryDays: 90,
};
const token = { type: 'generic', strategy: 'single-user', adopt: 'shop/token', owner: 'team-web' } as const;

const configured = (environment: Partial<Environment>) => () =>
  defineConfig({ environments: { prod: { audit: { retentionDays: 1 }, ...environment } } });

describe('secrets that people replace', () => {
  test('are taken', () => {
    expect(configured({ manualSecrets: { licence }, secrets: { token } })).not.toThrow();
  });

  test('are not rotated as well, whether called by name or by ARN', () => {
    const adopt = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/token-AbCdEf';
    expect(configured({ manualSecrets: { licence: { ...licence, adopt } }, secrets: { token } })).toThrow(
      'environments.prod.manualSecrets.licence: names the same secret as secrets.token: shop/token; what rotates is replaced by nobody',
    );
  });

  test('are named once', () => {
    expect(configured({ manualSecrets: { licence, other: licence } })).toThrow(
      'manualSecrets.other: names the same secret as manualSecrets.licence: vendor/licence',
    );
  });
});

describe('a last day', () => {
  test('is taken where Rekey rotates', () => {
    expect(configured({ secrets: { token: { ...token, expires: '2036-12-31' } } })).not.toThrow();
  });

  test('is refused where somebody else does', () => {
    const external = {
      ...token,
      type: 'external',
      rotationFunction: 'arn:aws:lambda:eu-central-1:111122223333:function:theirs',
      expires: '2036-12-31',
    } as const;
    expect(configured({ secrets: { token: external } })).toThrow(
      'environments.prod.secrets.token.expires: "2036-12-31": external: a function that is not Rekey\'s would rotate it after its end',
    );
  });

  test('is a day of the calendar', () => {
    expect(configured({ secrets: { token: { ...token, expires: '2036-02-30' } } })).toThrow(
      'is no day of the calendar',
    );
  });
});
