import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../adapters/random.ts';
import type { SecretStore } from '../../core/ports.ts';
import type { Strategy } from '../../core/secret.ts';
import { endOverlaps } from '../../lambdas/rotation/overlaps.ts';
import { dailyHour } from '../../lambdas/rotation/retire.ts';
import type { Rotator } from '../../rotators/rotator.ts';
import { DualTarget, dualRotator } from '../rotation/dual-target.ts';
import { engine, MemoryBus, noDatabases } from '../rotation/engine.ts';
import { MemoryStore } from '../rotation/memory-store.ts';
import { type ModelSecret, ModelTarget, modelRotator } from '../rotation/model-target.ts';
import { longestLag, StaleStore, staleForMs } from '../rotation/stale-store.ts';
import { histories, type InvocationOptions, outcome, overlapHistories, play } from './histories.ts';
import { crashAt, type Hook, intercept } from './intercept.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';
const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/admin-AbCdEf';
const admin = { username: 'admin', password: 'admin password 1' };

/** What the store answers: the truth, or what was true some writes ago. */
const ages = {
  'up to date': fc.constant([0]),
  old: fc.array(fc.nat({ max: longestLag }), { minLength: 1, maxLength: 40 }),
};

/** Secrets Manager around one secret, its answers as old as `lags` say. */
function secretsManager(initial: object, lags: readonly number[]) {
  const store = new MemoryStore();
  store.create(arn, JSON.stringify(initial));
  store.create(adminArn, JSON.stringify(admin));
  const seen = new StaleStore(store, lags);
  return {
    store,
    seen,
    begin: (token: string) => {
      store.begin(arn, token);
      seen.note();
    },
    // Done when no answer is older than it: `rekey secret rotate --abandon` waits as long. Begun before that, a rotation
    // could lose its label to a late step of the cancelled one.
    cancel: async () => {
      store.removePending(arn);
      seen.note();
      await seen.wait(staleForMs);
    },
  };
}

/** Execution environments of a rotation function: each runs one invocation at a time, each with its own faults. */
function invoker<S extends object>(
  seen: StaleStore,
  strategy: Strategy,
  make: (hook: Hook) => { rotator: Rotator<S>; store: SecretStore; bus: MemoryBus },
) {
  const environment = () => {
    const faults = { hook: crashAt(undefined) };
    const lifecycle = engine({
      ...make((call, when) => faults.hook(call, when)),
      strategy,
      wait: seen.wait,
    });
    return { faults, lifecycle };
  };
  let warm = environment();
  return async (
    { step, token }: { step: string; token: string },
    { crash, cold, pace }: InvocationOptions,
  ): Promise<Error | undefined> => {
    const { faults, lifecycle } = cold ? environment() : warm;
    faults.hook = crashAt(crash, pace);
    const failure = await outcome(lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token }));
    if (crash !== undefined && !cold) {
      warm = environment();
    }
    return failure;
  };
}

function world(strategy: Strategy, lags: readonly number[]) {
  const target = new ModelTarget();
  const bus = new MemoryBus();
  const initial: ModelSecret & { team: string } = {
    username: 'app',
    password: 'first password',
    masterarn: adminArn,
    team: 'orders',
  };
  const { store, seen, begin, cancel } = secretsManager(initial, lags);
  target.passwords.set('app', initial.password);
  target.passwords.set(admin.username, admin.password);
  const parsed = (value: string | undefined): ModelSecret => JSON.parse(value ?? '{}');
  const everCurrent = new Set<string>();

  return {
    bus,
    store,
    seen,
    currentLogsIn: () => {
      const { username, password } = parsed(store.peek(arn, 'AWSCURRENT')?.value);
      return target.passwords.get(username) === password;
    },
    stage: {
      begin,
      cancel,
      invoke: invoker(seen, strategy, (hook) => ({
        rotator: modelRotator(intercept(target, 'target', hook)),
        store: intercept(seen, 'store', hook),
        bus: intercept(bus, 'bus', hook),
      })),
      check: () => {
        const kept = store.values(arn).map(parsed);
        for (const [username, password] of target.passwords) {
          if (
            username !== admin.username &&
            !kept.some((secret) => secret.username === username && secret.password === password)
          ) {
            throw new Error(`the target accepts a password of ${username} that no kept version holds`);
          }
        }
        const current = parsed(store.peek(arn, 'AWSCURRENT')?.value);
        everCurrent.add(current.password);
        if (![...everCurrent].every((password) => kept.some((secret) => secret.password === password))) {
          throw new Error('a version that was current is lost');
        }
      },
    },
  };
}

/** Two passwords of one user, with the schedule that ends overlaps. */
function dualWorld(lags: readonly number[]) {
  const target = new DualTarget();
  const bus = new MemoryBus();
  const initial = { username: 'app', password: 'first password', team: 'orders' };
  const { store, seen, begin, cancel } = secretsManager(initial, lags);
  const rotator = dualRotator(target);
  // Long after every rotation, in the hour in which that is looked at.
  const clock = { now: () => new Date(Date.UTC(2027, 0, 1, dailyHour(arn), 30)) };
  return {
    start: () => target.set('app', [initial.password]),
    currentLogsIn: () => target.accepts(JSON.parse(store.peek(arn, 'AWSCURRENT')?.value ?? '{}')),
    stage: {
      begin,
      cancel,
      invoke: invoker(seen, 'dual-credential', (hook) => ({
        rotator: dualRotator(intercept(target, 'target', hook)),
        store: intercept(seen, 'store', hook),
        bus: intercept(bus, 'bus', hook),
      })),
      retire: async () => {
        const [outcome] = await endOverlaps(
          [arn],
          { overlapHours: 24, graceHours: 24 },
          {
            ...{ rotator, strategy: 'dual-credential', store: seen, databases: noDatabases, records: bus },
            origin: {
              source: 'rekey.rotation',
              environment: 'test',
              actor: 'test',
              clock,
              random: systemRandom,
            },
            target: { connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
            remainingMs: () => 60_000,
            wait: seen.wait,
          },
        );
        if (outcome !== undefined && 'failure' in outcome) throw outcome.failure;
      },
    },
  };
}

describe.each(Object.entries(ages))('with answers that are %s', (age, lags) => {
  test.each(['single-user', 'alternating-users'] as const)(
    '%s: survives any history of crashes, retries, duplicates and late deliveries',
    async (strategy) => {
      await fc.assert(
        fc.asyncProperty(histories, lags, async (history, old) => {
          const { stage, currentLogsIn, store, bus } = world(strategy, old);
          await play(history, {
            ...stage,
            check: () => {
              stage.check();
              // With two users, the one in use is never the one that changes: no moment without a working login.
              expect(strategy === 'single-user' || currentLogsIn()).toBe(true);
            },
          });
          expect(currentLogsIn()).toBe(true);
          expect(JSON.parse(store.peek(arn, 'AWSCURRENT')?.value ?? '{}').team).toBe('orders');
          // Every rotation that became current is recorded as a success exactly once, by id.
          const currents = new Set(
            bus.events.flatMap(({ detailType, detail }) =>
              detailType === 'Secret Rotation Succeeded' ? [detail.metadata.id] : [],
            ),
          );
          const tokens = new Set(
            bus.events.flatMap((event) =>
              event.detailType === 'Secret Rotation Succeeded' ? [event.detail.data.versionId] : [],
            ),
          );
          expect(currents.size).toBe(tokens.size);
          expect(tokens).toContain(store.peek(arn, 'AWSCURRENT')?.versionId);
        }),
        { numRuns: age === 'old' ? 500 : 1_000 },
      );
    },
  );

  test('dual-credential: the credential in use logs in at any moment, whenever overlaps are ended', async () => {
    await fc.assert(
      fc.asyncProperty(overlapHistories, lags, async (history, old) => {
        const { start, stage, currentLogsIn } = dualWorld(old);
        await start();
        await play(history, { ...stage, check: async () => expect(await currentLogsIn()).toBe(true) });
      }),
      { numRuns: 400 },
    );
  });
});

test('the answers of these histories are old often enough to prove something', async () => {
  let [stale, played] = [0, 0];
  await fc.assert(
    fc.asyncProperty(histories, ages.old, async (history, old) => {
      const { stage, seen } = world('single-user', old);
      await play(history, stage);
      stale += seen.staleAnswers > 3 ? 1 : 0;
      played += 1;
    }),
    { numRuns: 100 },
  );
  expect(stale / played).toBeGreaterThan(0.8);
});
