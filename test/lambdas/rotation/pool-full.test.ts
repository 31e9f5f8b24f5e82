import { expect, test } from '@jest/globals';
import { TargetError } from '../../../core/errors/rekey-error.ts';
import { stages } from '../../../core/secret/secret.ts';
import { engine } from './engine.ts';
import { MemoryStore } from './memory-store.ts';
import { ModelTarget, modelRotator } from './model-target.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';
const token = '11111111-2222-4333-8444-555555555555';

/** Rotates where each login is answered that the user has no connection left, with or without a word on the password. */
async function rotateWhileFull(passwordAccepted: boolean): Promise<readonly string[] | undefined> {
  const target = new ModelTarget();
  const store = new MemoryStore();
  store.create(arn, JSON.stringify({ username: 'app', password: 'first password' }));
  store.begin(arn, token);
  target.passwords.set('app', 'first password');
  const error = new TargetError('TargetBusy', 'no connection is free for this user');
  const lifecycle = engine({
    rotator: {
      ...modelRotator(target),
      probe: async () => ({ outcome: 'unreachable', error, ...(passwordAccepted && { passwordAccepted }) }),
    },
    store,
  });
  for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'])
    await lifecycle.run({ Step, SecretId: arn, ClientRequestToken: token });
  return (await store.describe(arn)).versions[token];
}

test('a pool that holds every connection keeps no password that the server found right from becoming current', async () => {
  expect(await rotateWhileFull(true)).toContain(stages.current);
});

test('a busy server that says nothing of the password does', async () => {
  await expect(rotateWhileFull(false)).rejects.toMatchObject({ code: 'TargetBusy' });
});
