import { describe, expect, test } from '@jest/globals';
import { SecretError } from '../../../core/errors/rekey-error.ts';
import { answerLifeCycle, type LifeCycleEvent } from '../../../lambdas/rotation/first-rotation.ts';

const SecretId = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/prod/orders-AbCdEf';
const event = (RequestType: LifeCycleEvent['RequestType']): LifeCycleEvent => ({
  RequestType,
  ResponseURL: 'https://cloudformation.example/answer',
  StackId: 'stack',
  RequestId: '0195a000-0000-7000-8000-000000000001',
  LogicalResourceId: 'First',
  ResourceProperties: { SecretId },
});

type Answer = 'started' | 'unfinished' | Error;

/** A Secrets Manager that gives these answers one after the other, the last one for ever; pauses move the clock. */
function world(...answers: readonly [Answer, ...Answer[]]) {
  const calls: (readonly [string, string])[] = [];
  let now = 0;
  const dependencies = {
    rotation: {
      async rotate(secretId: string, token: string) {
        calls.push([secretId, token]);
        const answer = answers[Math.min(calls.length, answers.length) - 1] ?? 'started';
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    clock: { now: () => new Date(now) },
    pause: async (ms: number) => {
      now += ms;
    },
  };
  return { calls, dependencies };
}

describe('the first rotation of a secret', () => {
  test('is started when its stack creates it, under an id that a repeated request shares', async () => {
    const { calls, dependencies } = world('started');
    const answer = await answerLifeCycle(event('Create'), dependencies);
    expect(answer).toEqual({
      Status: 'SUCCESS',
      PhysicalResourceId: `first-rotation-of-${SecretId}`,
      StackId: 'stack',
      RequestId: '0195a000-0000-7000-8000-000000000001',
      LogicalResourceId: 'First',
    });
    expect(calls).toEqual([[SecretId, '0195a000-0000-7000-8000-000000000001']]);
  });

  test.each(['Update', 'Delete'] as const)('is not started by %s', async (type) => {
    const { calls, dependencies } = world('started');
    const answer = await answerLifeCycle({ ...event(type), PhysicalResourceId: 'as-before' }, dependencies);
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'as-before' });
    expect(calls).toEqual([]);
  });

  test('is not started for a secret that shall wait for its schedule', async () => {
    const { calls, dependencies } = world('started');
    const waits = { ...event('Create'), ResourceProperties: { SecretId, Rotate: 'never' as const } };
    expect(await answerLifeCycle(waits, dependencies)).toMatchObject({ Status: 'SUCCESS' });
    expect(calls).toEqual([]);
  });

  test('waits while the test of the new schedule, or an older answer, is in its way', async () => {
    const notYet = new SecretError('RotationDisabled', 'not configured');
    const { calls, dependencies } = world(notYet, 'unfinished', 'unfinished', 'started');
    expect(await answerLifeCycle(event('Create'), dependencies)).toMatchObject({ Status: 'SUCCESS' });
    expect(calls).toHaveLength(4);
  });

  test('is as good as started when another one goes on after a minute', async () => {
    const { calls, dependencies } = world('unfinished');
    expect(await answerLifeCycle(event('Create'), dependencies)).toMatchObject({ Status: 'SUCCESS' });
    expect(calls).toHaveLength(61);
  });

  test('fails the deploy at once for an error of another kind, whatever it is called', async () => {
    const { calls, dependencies } = world(Object.assign(new Error('x'), { code: 'RotationDisabled' }));
    expect(await answerLifeCycle(event('Create'), dependencies)).toMatchObject({ Status: 'FAILED' });
    expect(calls).toHaveLength(1);
  });

  test('fails the deploy with as much of a long reason as CloudFormation takes', async () => {
    const { dependencies } = world(new SecretError('SecretAccessDenied', 'long '.repeat(1_000)));
    const { Reason } = await answerLifeCycle(event('Create'), dependencies);
    expect(Reason).toMatch(/^SecretAccessDenied: long long/);
    expect(Reason).toHaveLength(1_000);
  });

  test.each([
    ['at once', new SecretError('SecretAccessDenied', 'the policy must allow it'), 1],
    ['after a minute', new SecretError('RotationDisabled', 'not configured'), 61],
  ] as const)('fails the deploy %s with the reason', async (_, error, tries) => {
    const { calls, dependencies } = world(error);
    expect(await answerLifeCycle(event('Create'), dependencies)).toMatchObject({
      Status: 'FAILED',
      Reason: `${error.code}: ${error.message}`,
    });
    expect(calls).toHaveLength(tries);
  });
});
