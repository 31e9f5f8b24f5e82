import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TargetError } from '../../core/errors/rekey-error.ts';
import type { Strategy } from '../../core/secret/secret.ts';
import { MemoryBus } from '../lambdas/rotation/engine.ts';
import { loginOf, type ModelSecret, ModelTarget, modelRotator } from '../lambdas/rotation/model-target.ts';
import { staleForMs } from '../lambdas/rotation/stale-store.ts';
import { intercept } from './intercept.ts';
import { admin, adminArn, ages, arn, invoker, secretsManager } from './model-world.ts';
import { histories, Story } from './people.ts';

const host = 'one.internal';

function world(strategy: Strategy, lags: readonly number[]) {
  const target = new ModelTarget();
  const bus = new MemoryBus();
  const initial = { username: 'app', host, password: 'first password', note: 'nothing yet' };
  const { store, seen, begin } = secretsManager({ ...initial, masterarn: adminArn }, lags, {
    ...admin,
    host,
  });
  target.passwords.set(loginOf(initial), initial.password).set(loginOf({ ...admin, host }), admin.password);
  const faults: string[] = [];
  let strict = false;
  /** The target as Rekey gets it: it notes what Rekey may not do. */
  const watched = new Proxy(target, {
    get: (object, property) =>
      property !== 'setPassword'
        ? Reflect.get(object, property, object)
        : async (login: string, password: string) => {
            if (strict) throw new TargetError('PolicyRefused', 'the password does not fit the rules');
            if (story.everCurrent.has(password) && (await story.showsItsAge())) {
              faults.push(`${login} got a password that had been replaced`);
            }
            await target.setPassword(login, password);
          },
  });
  const invoke = invoker(seen, strategy, (hook) => {
    const bound = intercept(
      { login: target.login.bind(target), setPassword: watched.setPassword },
      'target',
      hook,
    );
    return {
      // Nothing is contained here, which alone reads the passwords themselves.
      rotator: modelRotator(bound as unknown as ModelTarget),
      store: intercept(seen, 'store', hook),
      bus: intercept(bus, 'bus', hook),
    };
  });
  const story: Story = new Story({
    arn,
    store,
    begin,
    invoke,
    setPassword: (secret, password) => {
      target.passwords.set(loginOf(secret as unknown as ModelSecret), password);
    },
    setPolicy: (now) => {
      strict = now;
    },
    rotated: () => {
      store.noteRotated(arn);
      seen.note();
    },
    lookedAt: async () => {
      seen.note();
      await seen.wait(staleForMs);
    },
  });
  return {
    story,
    faults,
    relax: () => {
      strict = false;
    },
    logsIn: () => {
      const current = story.current() as unknown as ModelSecret;
      return target.passwords.get(loginOf(current)) === current.password;
    },
  };
}

describe.each(Object.entries(ages))('with answers that are %s', (age, lags) => {
  test.each(['single-user', 'alternating-users'] as const)(
    '%s: what people do to a secret is neither lost nor undone, and no replaced password comes back',
    async (strategy) => {
      await fc.assert(
        fc.asyncProperty(histories({ policy: true, most: 24 }), lags, async (history, old) => {
          const { story, faults, relax, logsIn } = world(strategy, old);
          for (const happening of history) {
            await story.play(happening);
            expect(story.found()).toBe(story.kept);
            expect(faults).toEqual([]);
          }
          relax();
          // A leftover of any kind is ended or given up: what is tested once more may have to be begun once more.
          await story.rotation();
          await story.rotation();
          const failure = await story.rotation();
          expect(failure).toBeUndefined();
          expect([story.found(), logsIn(), faults]).toEqual([story.kept, true, []]);
        }),
        { numRuns: age === 'old' ? 300 : 700 },
      );
    },
  );
});
