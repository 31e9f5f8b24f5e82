import { describe, expect, test } from '@jest/globals';
import { longestStepSeconds, usualStepSeconds } from '../../../core/deployed/limits.ts';
import { SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import type { Step } from '../../../lambdas/rotation/event.ts';
import { isLasting } from '../../../lambdas/rotation/lasting-failure.ts';
import { defaultPace } from '../../../rotators/families/aws-api/reset.ts';
import { MemoryStore } from './memory-store.ts';

const secretId = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders';
const slowReset = new TargetError('TargetTimeout', 'the reset did not finish in time');
const usualMs = usualStepSeconds * 1_000;
const longMs = longestStepSeconds * 1_000;

describe('a failed step is counted', () => {
  const store = new MemoryStore();
  store.create(secretId, '{}');
  store.begin(secretId, 'next');
  store.begin(secretId, 'later');
  const ask = async (
    error: unknown,
    step: Step,
    stepMs: number,
    ageMs: number,
    over: Pick<MemoryStore, 'listVersions'> = store,
  ) => {
    const begun = (await store.listVersions(secretId)).find(({ versionId }) => versionId === 'next')?.created;
    const now = new Date((begun?.getTime() ?? 0) + ageMs);
    const versions = { listVersions: (id: string) => over.listVersions(id) } as MemoryStore;
    return await isLasting(error, { step, secretId, token: 'next' }, { store: versions, now, stepMs });
  };

  test('at once, when its error will not pass', async () => {
    expect(await ask(new SecretError('CredentialUnusable', 'x'), 'setSecret', longMs, 0)).toBe(true);
    expect(await ask(new Error('unexpected'), 'createSecret', usualMs, 0)).toBe(true);
  });

  test('not while a reset takes its time, but when that lasts', async () => {
    expect(await ask(slowReset, 'setSecret', longMs, 595_000)).toBe(false);
    expect(await ask(slowReset, 'setSecret', longMs, 1_250_000)).toBe(true);
  });

  test('at once, where consumers may be without a login', async () => {
    expect(await ask(slowReset, 'setSecret', usualMs, 1_000)).toBe(true);
    expect(await ask(slowReset, 'testSecret', longMs, 1_000)).toBe(true);
    expect(await ask(slowReset, 'finishSecret', longMs, 1_000)).toBe(true);
  });

  test('not before anything was set, and when that lasts', async () => {
    expect(await ask(slowReset, 'createSecret', usualMs, 50_000)).toBe(false);
    expect(await ask(slowReset, 'createSecret', usualMs, 130_000)).toBe(true);
  });

  test('when its own version is older than two of the longest steps', async () => {
    expect(await ask(slowReset, 'setSecret', longMs, 2 * longMs)).toBe(false);
    expect(await ask(slowReset, 'setSecret', longMs, 2 * longMs + 1)).toBe(true);
  });

  test('at once, when nobody can say how old its version is', async () => {
    const silent = { listVersions: () => Promise.reject(new Error('denied')) };
    expect(await ask(slowReset, 'setSecret', longMs, 1_000, silent)).toBe(true);
  });
});

test('a step gives up before its function ends, and has time for a change that shows late', () => {
  expect(defaultPace.budgetMs).toBeLessThanOrEqual(longMs - 15_000);
  expect(defaultPace.settleMs).toBeGreaterThanOrEqual(90_000);
  expect(defaultPace.settleMs).toBeLessThan(defaultPace.budgetMs / 3);
  // Lambda's longest.
  expect(longestStepSeconds).toBeLessThan(900);
});
