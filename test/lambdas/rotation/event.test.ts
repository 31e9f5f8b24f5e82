import { expect, test } from '@jest/globals';
import { parseRotationEvent } from '../../../lambdas/rotation/event.ts';

const event = { Step: 'createSecret', SecretId: '/test/app', ClientRequestToken: 'next' };

test('the event of a step says which secret and which version it is about', () => {
  expect(parseRotationEvent(event)).toStrictEqual({
    step: 'createSecret',
    secretId: '/test/app',
    token: 'next',
  });
});

test('that of a rotation across accounts carries the token by which Secrets Manager knows it again', () => {
  expect(parseRotationEvent({ ...event, RotationToken: 'of the role' })).toStrictEqual({
    step: 'createSecret',
    secretId: '/test/app',
    token: 'next',
    rotationToken: 'of the role',
  });
});

test('a step that nobody knows is named, but not at any length', () => {
  const unknown = () => parseRotationEvent({ ...event, Step: 'x'.repeat(10_000) });
  expect(unknown).toThrow(`unknown step "${'x'.repeat(64)}"; known are createSecret, setSecret, testSecret,`);
});
