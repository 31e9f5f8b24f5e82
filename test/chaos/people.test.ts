import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TargetError } from '../../core/errors.ts';
import type { Strategy } from '../../core/secret.ts';
import { steps } from '../../lambdas/rotation/event.ts';
import { MemoryBus } from '../rotation/engine.ts';
import { loginOf, type ModelSecret, ModelTarget, modelRotator } from '../rotation/model-target.ts';
import { staleForMs } from '../rotation/stale-store.ts';
import { intercept } from './intercept.ts';
import { admin, adminArn, ages, arn, invoker, secretsManager } from './model-world.ts';

/** What people, policies and Secrets Manager do to one secret between any two steps. */
type Happening =
  | { kind: 'step'; cold: boolean; crash?: { calls: number; when: 'before' | 'after' } }
  /** All steps that are left of the rotation in progress, or a new one. */
  | { kind: 'rotation' }
  /** A person stores another value of a key that is not of the credential. */
  | { kind: 'edit' }
  /** A person sets a password at the target, and stores it or not. */
  | { kind: 'password'; stored: boolean }
  /** A person moves a label to the n-th version that there is. */
  | { kind: 'label'; label: 'AWSPENDING' | 'AWSCURRENT' | 'of-a-person'; version: number }
  /** The server begins or ceases to refuse passwords by its rules. */
  | { kind: 'policy'; strict: boolean };

const crash = fc.record({
  calls: fc.nat({ max: 8 }),
  when: fc.constantFrom('before' as const, 'after' as const),
});
const histories = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .record({ cold: fc.boolean(), crash: fc.option(crash, { nil: undefined, freq: 4 }) })
        .map(({ cold, crash: point }): Happening => ({ kind: 'step', cold, ...(point && { crash: point }) })),
    },
    { weight: 2, arbitrary: fc.constant<Happening>({ kind: 'rotation' }) },
    { weight: 3, arbitrary: fc.constant<Happening>({ kind: 'edit' }) },
    { weight: 2, arbitrary: fc.boolean().map((stored): Happening => ({ kind: 'password', stored })) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('label' as const),
        label: fc.constantFrom('AWSPENDING' as const, 'AWSCURRENT' as const, 'of-a-person' as const),
        version: fc.nat({ max: 9 }),
      }),
    },
    { weight: 1, arbitrary: fc.boolean().map((strict): Happening => ({ kind: 'policy', strict })) },
  ),
  { minLength: 3, maxLength: 24 },
);

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
  const parsed = (text: string | undefined): ModelSecret & { note: string } => JSON.parse(text ?? '{}');
  const current = () => parsed(store.peek(arn, 'AWSCURRENT')?.value);
  const everCurrent = new Set([initial.password]);
  const faults: string[] = [];
  let strict = false;
  let edits = 0;
  /**
   * Whether anything in Secrets Manager tells that the pending version was current before. Where nothing does, it is the wish
   * of whoever has put the label on it.
   */
  const showsItsAge = async () => {
    const { versions, lastRotated } = await store.describe(arn);
    const pending = await store.read(arn, { stage: 'AWSPENDING' });
    const holder = await store.read(arn, { stage: 'AWSCURRENT' });
    const made = Number(pending?.created);
    return (
      versions[pending?.versionId ?? '']?.includes('AWSPREVIOUS') === true ||
      Number(lastRotated ?? 0) > made ||
      Number(holder?.created) > made
    );
  };
  /** The target as Rekey gets it: it notes what Rekey may not do. */
  const watched = new Proxy(target, {
    get: (object, property) =>
      property !== 'setPassword'
        ? Reflect.get(object, property, object)
        : async (login: string, password: string) => {
            if (strict) throw new TargetError('PolicyRefused', 'the password does not fit the rules');
            if (everCurrent.has(password) && (await showsItsAge())) {
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
  let token = '';
  let next = 0;
  let tokens = 0;
  let word = initial.note;
  const isUnfinished = () => {
    const pending = store.peek(arn, 'AWSPENDING')?.versionId;
    return pending !== undefined && pending !== store.peek(arn, 'AWSCURRENT')?.versionId
      ? pending
      : undefined;
  };
  /** Secrets Manager attempts a leftover again, from its first step, and begins a rotation where there is none. */
  const oneStep = async (options: { cold: boolean; crash?: { calls: number; when: 'before' | 'after' } }) => {
    const unfinished = isUnfinished();
    if (unfinished === undefined || unfinished !== token) {
      next = 0;
      if (unfinished === undefined) tokens += 1;
      token = unfinished ?? `token-${tokens}`;
      if (unfinished === undefined) begin(token);
    }
    const failure = await invoke({ step: steps[next] ?? 'createSecret', token }, options);
    next = failure === undefined ? next + 1 : 0;
    if (next === steps.length) {
      token = '';
      store.noteRotated(arn);
      seen.note();
    }
    return failure;
  };
  const rotation = async () => {
    do {
      const failure = await oneStep({ cold: false });
      if (failure !== undefined) return failure;
    } while (token !== '');
    return undefined;
  };
  const person: Record<Exclude<Happening['kind'], 'step' | 'rotation'>, (happening: never) => void> = {
    edit: () => {
      edits += 1;
      word = `edit ${edits}`;
      store.put(arn, `by-hand-${edits}`, JSON.stringify({ ...current(), note: word }));
    },
    password: ({ stored }: { stored: boolean }) => {
      edits += 1;
      const password = `set by a person ${edits}`;
      target.passwords.set(loginOf(current()), password);
      if (stored) store.put(arn, `by-hand-${edits}`, JSON.stringify({ ...current(), password }));
    },
    label: ({ label, version }: { label: string; version: number }) => {
      const ids = store.ids(arn);
      const id = ids[version % ids.length] ?? 'v1';
      store.label(arn, label, id);
      word = current().note;
    },
    policy: (happening: { strict: boolean }) => {
      strict = happening.strict;
    },
  };
  return {
    current,
    faults,
    rotation,
    word: () => word,
    relax: () => {
      strict = false;
    },
    logsIn: () => target.passwords.get(loginOf(current())) === current().password,
    async play(happening: Happening) {
      if (happening.kind === 'step') await oneStep(happening);
      else if (happening.kind === 'rotation') await rotation();
      else {
        person[happening.kind](happening as never);
        seen.note();
        // Whoever looks at what they did sees it before they do the next thing.
        await seen.wait(staleForMs);
      }
      everCurrent.add(current().password);
    },
  };
}

describe.each(Object.entries(ages))('with answers that are %s', (age, lags) => {
  test.each(['single-user', 'alternating-users'] as const)(
    '%s: what people do to a secret is neither lost nor undone, and no replaced password comes back',
    async (strategy) => {
      await fc.assert(
        fc.asyncProperty(histories, lags, async (history, old) => {
          const { play, current, faults, rotation, word, relax, logsIn } = world(strategy, old);
          for (const happening of history) {
            await play(happening);
            expect(current().note).toBe(word());
            expect(faults).toEqual([]);
          }
          relax();
          // A leftover of any kind is ended or given up: what is tested once more may have to be begun once more.
          await rotation();
          await rotation();
          const failure = await rotation();
          expect(failure).toBeUndefined();
          expect([current().note, logsIn(), faults]).toEqual([word(), true, []]);
        }),
        { numRuns: age === 'old' ? 300 : 700 },
      );
    },
  );
});
