import { expect, test } from '@jest/globals';
import { SecretError, type SecretErrorCode } from '../../../core/errors/rekey-error.ts';
import { requireMayBegin } from '../../../lambdas/rotation/may-begin.ts';
import { MemoryStore } from './memory-store.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';

/** Whether a rotation begins that is refused with such a code or error, by what the secret holds now. */
async function begins(
  refusal: SecretErrorCode | Error,
  current: object | undefined,
  { begun = false } = {},
): Promise<string> {
  const store = new MemoryStore();
  store.create(arn, current && JSON.stringify(current));
  store.begin(arn, 'next');
  if (begun) await store.putPending(arn, 'next', JSON.stringify(working));
  const error = refusal instanceof Error ? refusal : new SecretError(refusal, 'not now');
  const mayBegin = async () => Promise.reject(error);
  const origin = { clock: { now: () => new Date() } };
  return await requireMayBegin(await store.describe(arn), 'next', { store, origin, mayBegin }).then(
    () => 'begins',
    (thrown: Error) => (thrown instanceof SecretError ? thrown.code : thrown.message),
  );
}

const first = { password: 'of nobody yet' };
const working = { username: 'app', password: 'of app' };

test.each([
  ['a first rotation has waited for the canary, and begins', 'CanaryUnfinished', first, 'begins'],
  ['any other is refused', 'CanaryUnfinished', working, 'CanaryUnfinished'],
  ['an engaged brake refuses both', 'RotationBraked', first, 'RotationBraked'],
  ['the one and the other', 'RotationBraked', working, 'RotationBraked'],
  ['one without a current value waits for the canary', 'CanaryUnfinished', undefined, 'CanaryUnfinished'],
] as const)('%s', async (_name, code, current, outcome) => {
  expect(await begins(code, current)).toBe(outcome);
});

test('one that has begun goes on, but for an error that says nothing of the brake', async () => {
  expect(await begins('RotationBraked', working, { begun: true })).toBe('begins');
  expect(await begins(new Error('unforeseen'), working, { begun: true })).toBe('unforeseen');
});
