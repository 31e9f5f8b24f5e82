import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { limits } from '../../../bench/report.ts';
import { zipSize } from '../../../bench/zip-size.ts';
import { steps } from '../../../lambdas/rotation/event.ts';
import { bundle, functionFor } from '../../../lib/function/bundle.ts';
import { rotatedTypes } from '../../../rotators/registry.ts';
import { intercept } from '../../chaos/intercept.ts';
import { engine, MemoryBus } from './engine.ts';
import { MemoryStore } from './memory-store.ts';
import { ModelTarget, modelRotator } from './model-target.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';

/** Rotates once and returns the calls to AWS; every method of the store and the bus is one. */
async function callsOfRotation(environments: 'one' | 'four'): Promise<string[]> {
  const calls: string[] = [];
  const note = (call: string, when: 'before' | 'after') => {
    if (when === 'before') calls.push(call);
  };
  const memory = new MemoryStore();
  const target = new ModelTarget();
  memory.create(arn, JSON.stringify({ username: 'app', password: 'first password' }));
  memory.begin(arn, 'next');
  target.passwords.set('app', 'first password');
  const store = intercept(memory, 'store', note);
  const bus = intercept(new MemoryBus(), 'bus', note);
  const start = () => engine({ rotator: modelRotator(target), store, bus });
  let lifecycle = start();
  for (const step of steps) {
    await lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: 'next' });
    if (environments === 'four') lifecycle = start();
  }
  expect(memory.peek(arn, 'AWSCURRENT')?.versionId).toBe('next');
  return calls;
}

describe('a single-user rotation', () => {
  test('that stays in one environment keeps to its calls', async () => {
    expect((await callsOfRotation('one')).length).toBeLessThanOrEqual(limits.warmCallsSingleUser);
  });

  test('with a new environment for every step reads each version again, and no more', async () => {
    const warm = await callsOfRotation('one');
    const cold = await callsOfRotation('four');
    expect(cold.filter((call) => call !== 'store.read')).toEqual(
      warm.filter((call) => call !== 'store.read'),
    );
    expect(cold.filter((call) => call === 'store.read')).toHaveLength(6);
  });
});

test.each(rotatedTypes)('the rotation function for %s keeps to its size and leaves undici out', (type) => {
  const directory = mkdtempSync(join(tmpdir(), 'rekey-budget-'));
  try {
    bundle(directory, { entry: functionFor(type, 'rotation') });
    expect(zipSize(directory)).toBeLessThanOrEqual(limits.zipBytes);
    // See lambdas/functions/node-http.cjs: one such import doubles the time that Node's own modules take to load.
    const importsHttp = (file: string) =>
      /from\s*"node:http"/.test(readFileSync(join(directory, file), 'utf8'));
    expect(readdirSync(directory).filter(importsHttp)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
