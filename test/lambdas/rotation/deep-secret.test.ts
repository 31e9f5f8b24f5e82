import { expect, test } from '@jest/globals';
import { engine } from './engine.ts';
import { MemoryStore } from './memory-store.ts';
import { ModelTarget, modelRotator } from './model-target.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';

/**
 * Invariant 10: every other byte of the text stays. Secrets Manager takes 65,536 bytes, so nested 30,000 deep; the rotation
 * writes the whole JSON anew (`JSON.stringify`) only to parse it again, and ends with a RangeError that says nothing.
 */
test('a secret with a key that is nested deeply rotates, or is refused with words', async () => {
  const target = new ModelTarget();
  const store = new MemoryStore();
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
  const text = (password: string) =>
    `{"username":"app","deep":${deep},"password":${JSON.stringify(password)}}`;
  store.create(arn, text('first password'));
  store.begin(arn, 'next');
  target.passwords.set('app', 'first password');
  const lifecycle = engine({ rotator: modelRotator(target), store });
  const rotate = async () => {
    for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
      await lifecycle.run({ Step, SecretId: arn, ClientRequestToken: 'next' });
    }
    return store.peek(arn, 'AWSCURRENT')?.value === text(target.passwords.get('app') ?? '')
      ? 'rotated'
      : 'changed';
  };
  expect(['rotated', 'SecretValueInvalid']).toContain(await rotate().catch(({ code, name }) => code ?? name));
});
