import { expect, test } from '@jest/globals';
import { SecretError, type SecretErrorCode } from '../../../core/errors/rekey-error.ts';
import { requireGoing } from '../../../lambdas/rotation/going.ts';
import { MemoryStore } from './memory-store.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';

/** Whether a rotation begins that is refused with such a code, by what the secret holds now. */
async function begins(code: SecretErrorCode, current: object): Promise<string> {
  const store = new MemoryStore();
  store.create(arn, JSON.stringify(current));
  store.begin(arn, 'next');
  const mayBegin = async () => Promise.reject(new SecretError(code, 'not now'));
  const origin = { clock: { now: () => new Date() } };
  return await requireGoing(await store.describe(arn), 'next', { store, origin, mayBegin }).then(
    () => 'begins',
    (error: SecretError) => error.code,
  );
}

const first = { password: 'of nobody yet' };
const working = { username: 'app', password: 'of app' };

test.each([
  ['a first rotation has waited for the canary, and begins', 'CanaryUnfinished', first, 'begins'],
  ['any other is refused', 'CanaryUnfinished', working, 'CanaryUnfinished'],
  ['an engaged brake refuses both', 'RotationBraked', first, 'RotationBraked'],
  ['the one and the other', 'RotationBraked', working, 'RotationBraked'],
] as const)('%s', async (_name, code, current, outcome) => {
  expect(await begins(code, current)).toBe(outcome);
});
