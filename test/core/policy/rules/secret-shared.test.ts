import { describe, expect, test } from '@jest/globals';
import { environmentOf, ofEnvironment, secretOf } from '../facts.ts';

describe('SecretShared', () => {
  test('the same name in two namespaces is taken', () => {
    expect(ofEnvironment('SecretShared', {}, [environmentOf({ name: 'staging' })])).toMatchObject({
      outcome: 'met',
    });
  });

  test('an adopted secret of two environments is not', () => {
    expect(
      ofEnvironment(
        'SecretShared',
        { secrets: [secretOf({ origin: 'adopted', name: 'shared/db', login: undefined })] },
        [
          environmentOf({
            name: 'staging',
            secrets: [secretOf({ origin: 'adopted', name: 'shared/db', login: undefined }, 'staging')],
          }),
        ],
      ),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: 'environments.staging.secrets.orders is the same secret (shared/db)',
        fix: expect.stringContaining('for each environment'),
      },
    });
  });

  test('names in two accounts are two secrets', () => {
    expect(
      ofEnvironment(
        'SecretShared',
        { secrets: [secretOf({ origin: 'adopted', name: 'shared/db', login: undefined })] },
        [
          environmentOf({
            name: 'staging',
            account: '999988887777',
            secrets: [secretOf({ origin: 'adopted', name: 'shared/db', login: undefined }, 'staging')],
          }),
        ],
      ),
    ).toMatchObject({ outcome: 'met' });
  });

  test('the same user at the same host is not, in any account', () => {
    expect(
      ofEnvironment(
        'SecretShared',
        { secrets: [secretOf({ login: { host: 'DB.internal', username: 'app' } })] },
        [
          environmentOf({
            name: 'staging',
            account: '999988887777',
            secrets: [secretOf({ login: { host: 'db.internal', username: 'app' } }, 'staging')],
          }),
        ],
      ),
    ).toMatchObject({
      outcome: 'broken',
      broken: {
        message: expect.stringContaining('the same user at the same host'),
        fix: expect.stringContaining('Make a user and a secret'),
      },
    });
  });
});
