import { expect, test } from '@jest/globals';
import { steps } from '../../../lambdas/rotation/event.ts';
import { engine } from './engine.ts';
import { MemoryStore } from './memory-store.ts';
import { ModelTarget, modelRotator } from './model-target.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';

/**
 * docs/coming-from-aws.md: "A rotation that their function began and did not end is finished by Rekey". AWS's functions do `json.loads` and
 * `json.dumps`, so what they have left says the same numbers in Python's words; a person has changed nothing. Given up, the version that the
 * target has already been told is no longer pending, and the rotation fails.
 */
test.each([
  ['a fraction', '1.10', '1.1'],
  ['an exponent', '1e3', '1000.0'],
  ['minus zero', '-0', '0'],
  ['a large exponent', '1E+2', '100.0'],
])("a pending version that AWS's function has left is finished: %s", async (_name, ours, theirs) => {
  const target = new ModelTarget();
  const store = new MemoryStore();
  store.create(arn, `{"username": "app", "password": "the first password", "timeout": ${ours}}`);
  store.begin(arn, 'theirs');
  await store.putPending(
    arn,
    'theirs',
    `{"username": "app", "password": "the next password", "timeout": ${theirs}}`,
  );
  // Their set step was done.
  target.passwords.set('app', 'the next password');
  for (const Step of steps.slice(1)) {
    await engine({ rotator: modelRotator(target), store }).run({
      Step,
      SecretId: arn,
      ClientRequestToken: 'theirs',
    });
  }
  expect(store.peek(arn, 'AWSCURRENT')?.versionId).toBe('theirs');
});
