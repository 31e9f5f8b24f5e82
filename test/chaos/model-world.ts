import fc from 'fast-check';
import type { SecretStore } from '../../core/ports.ts';
import type { Rotator } from '../../core/rotator.ts';
import type { Strategy } from '../../core/secret/secret.ts';
import { engine, MemoryBus } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { type ModelSecret, ModelTarget, modelRotator } from '../lambdas/rotation/model-target.ts';
import { longestLag, StaleStore, staleForMs } from '../lambdas/rotation/stale-store.ts';
import { type InvocationOptions, outcome } from './histories.ts';
import { crashAt, type Hook, intercept } from './intercept.ts';

export const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';
export const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/admin-AbCdEf';
export const admin = { username: 'admin', password: 'admin password 1' };

/** What the store answers: the truth, or what was true some writes ago. */
export const ages = {
  'up to date': fc.constant([0]),
  old: fc.array(fc.nat({ max: longestLag }), { minLength: 1, maxLength: 40 }),
};

/** Secrets Manager around one secret, its answers as old as `lags` say. */
export function secretsManager(initial: object, lags: readonly number[], adminValue: object = admin) {
  const store = new MemoryStore();
  store.create(arn, JSON.stringify(initial));
  store.create(adminArn, JSON.stringify(adminValue));
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
export function invoker<S extends object>(
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

export function world(strategy: Strategy, lags: readonly number[]) {
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
