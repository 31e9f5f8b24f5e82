import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../adapters/system.ts';
import type { ContainContext } from '../../core/rotator.ts';
import { passwordPolicy } from '../../core/secret/password.ts';
import { containLeaks } from '../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../lambdas/revocation/proof.ts';
import { steps } from '../../lambdas/rotation/event.ts';
import { registry, rotatedTypes, targetTypes } from '../../rotators/registry.ts';
import { histories, type InvocationOptions, outcome, play } from '../chaos/histories.ts';
import { crashAt, type Hook, intercept } from '../chaos/intercept.ts';
import { engine, MemoryBus, noDatabases } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { failure } from './scene.ts';
import type { ValueUnderTest } from './target.ts';

/**
 * The part of the suite for types whose credentials nothing that Rekey can reach accepts or refuses. What can be held is
 * the value: it changes, fits the rules, is whole after any crash, and nothing is said of it that nobody could know.
 */

type Secret = Record<string, unknown>;
const types = rotatedTypes.filter((type) => !(targetTypes as readonly string[]).includes(type));
const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/token-AbCdEf';
const rules = { PASSWORD_LENGTH: '24', EXCLUDE_PUNCTUATION: 'true', EXCLUDE_CHARACTERS: 'lI1O0' };

interface Case {
  readonly value: ValueUnderTest<Secret>;
  readonly secret: Secret;
}

async function startValue(type: string): Promise<ValueUnderTest<Secret>> {
  const driver: { start(): Promise<ValueUnderTest<Secret>> } = await import(`./drivers/${type}.ts`);
  return await driver.start();
}

/** What is left of a secret when all that a rotation replaces is taken away. */
const kept = ({ value }: Case, secret: Secret) =>
  Object.fromEntries(Object.entries(secret).filter(([key]) => !value.rotated(secret).includes(key)));
const valuesOf = ({ value }: Case, secret: Secret) => value.rotated(secret).map((key) => String(secret[key]));

/** A secret in memory, and the engine over it. */
function world({ value: { rotator }, secret }: Case, strategy: (typeof rotator.strategies)[number]) {
  const store = new MemoryStore();
  const bus = new MemoryBus();
  store.create(arn, JSON.stringify(secret));
  const current = (): Secret => JSON.parse(store.peek(arn, 'AWSCURRENT')?.value ?? '{}');
  const step = (lifecycle: ReturnType<typeof engine<Secret>>, Step: string, token: string) =>
    lifecycle.run({ Step, SecretId: arn, ClientRequestToken: token });
  const rotate = async (token: string = randomUUID()) => {
    store.begin(arn, token);
    const lifecycle = engine({ rotator, store, strategy, bus, environment: rules });
    for (const Step of steps) await step(lifecycle, Step, token);
    return token;
  };
  return { store, bus, current, rotate, step };
}

const context = (current: Secret): ContainContext<Secret> => ({
  connectTimeoutMs: 1_000,
  statementTimeoutMs: 1_000,
  finding: () => {},
  strategy: 'single-user',
  random: systemRandom,
  credentials: {
    current,
    admin: async () => undefined,
    previous: async () => undefined,
    others: async function* () {},
    isAssigned: async () => false,
  },
});

describe.each(types)('%s', (type) => {
  let value: ValueUnderTest<Secret>;
  beforeAll(async () => {
    value = await startValue(type);
  });
  const cases = (): [string, Case][] =>
    Object.entries(value.secrets).map(([name, secret]) => [name, { value, secret }]);

  describe.each(registry[type].strategies)('%s', (strategy) => {
    test('the engine brings new values that fit the rules, and keeps every other key', async () => {
      const { length, alphabets } = passwordPolicy(rules);
      expect(cases().length).toBeGreaterThan(0);
      for (const [name, one] of cases()) {
        const proposal = await value.rotator.propose(one.secret, {
          ...context(one.secret),
          passwords: passwordPolicy(rules),
          token: 'token',
        });
        expect([name, kept(one, proposal)]).toEqual([name, kept(one, one.secret)]);
        const { bus, current, rotate } = world(one, strategy);
        const seen = new Set(valuesOf(one, one.secret));
        for (let rotation = 0; rotation < 3; rotation += 1) {
          await rotate();
          expect([name, kept(one, current())]).toEqual([name, kept(one, one.secret)]);
          expect(value.rotator.schema.parse(current())).toEqual(current());
          for (const text of valuesOf(one, current())) {
            expect([name, seen.has(text)]).toEqual([name, false]);
            seen.add(text);
            expect(text).toHaveLength(length);
            expect([...text].every((character) => alphabets.join('').includes(character))).toBe(true);
            expect(alphabets.every((alphabet) => [...alphabet].some((one) => text.includes(one)))).toBe(true);
          }
        }
        expect(bus.events.map(({ detailType }) => detailType)).toEqual(
          Array.from({ length: 3 }, () => ['Secret Rotation Started', 'Secret Rotation Succeeded']).flat(),
        );
        const published = JSON.stringify(bus.events);
        for (const text of seen) if (text !== '') expect(published).not.toContain(JSON.stringify(text));
      }
    });

    test.each([
      ['empty', ''],
      ['only white space', '        '],
      ['too short', 'a1b2c3'],
      ['with NUL', 'long enough\0 but not text'],
      ['absurdly long', 'x'.repeat(5000)],
      ['the current one', undefined],
    ])('refuses a pending value that is %s, and leaves the current one', async (_name, given) => {
      for (const [, one] of cases()) {
        const { store, current, step } = world(one, strategy);
        const key = value.rotated(one.secret).at(-1) ?? '';
        const fresh = await value.rotator.propose(one.secret, {
          ...context(one.secret),
          passwords: passwordPolicy(rules),
          token: 'token',
        });
        store.begin(arn, 'token');
        const pending = { ...one.secret, ...fresh, [key]: given ?? one.secret[key] };
        await store.putPending(arn, 'token', JSON.stringify(pending));
        const lifecycle = engine({ rotator: value.rotator, store, strategy });
        const { code, message, text } = await failure(step(lifecycle, 'setSecret', 'token'));
        expect(code).toBe('PendingValueRefused');
        expect(message).toContain(`"${key}"`);
        if (given !== undefined && given.trim() !== '') expect(text).not.toContain(given);
        expect(current()).toEqual(one.secret);
      }
    });

    test('refuses a pending version that would replace other keys than the current one', async () => {
      for (const [, one] of cases()) {
        const other = { rotates: ['team'], team: 'orders' };
        expect(() => value.rotator.check({ ...one.secret, ...other }, one.secret, { strategy })).toThrow(
          expect.objectContaining({ code: 'IdentityMismatch' }),
        );
      }
    });

    test('says that nobody can be asked, that it cannot cut off, and what a person must do', async () => {
      for (const [, one] of cases()) {
        const { rotator } = value;
        const probed = await rotator.probe(one.secret, context(one.secret));
        expect(probed).toEqual({ outcome: 'unverifiable', note: expect.stringMatching(/decide/) });
        const contained = await rotator.contain(one.secret, context(one.secret));
        expect(contained).toEqual({
          loginsRefused: false,
          sessionsEnded: 0,
          note: expect.stringMatching(/refuse/),
        });
        expect(await rotator.contain(one.secret, context(one.secret))).toEqual(contained);
        const said = JSON.stringify([probed, contained, rotator.identity(one.secret)]);
        for (const text of valuesOf(one, one.secret)) {
          if (text !== '') expect(said).not.toContain(text);
        }
      }
    });

    test('a revocation replaces it, and claims no refusal', async () => {
      for (const [, one] of cases()) {
        const { store, bus, rotate } = world(one, strategy);
        const input = {
          requestId: 'r1',
          correlationId: 'r1',
          secretArn: arn,
          secretName: 'token',
          named: false,
          versions: ['v1'],
        };
        const dependencies = {
          rotator: value.rotator,
          strategy,
          store,
          bus,
          databases: noDatabases,
          origin: {
            source: 'rekey.containment' as const,
            environment: 'test',
            actor: 'test',
            clock: { now: () => new Date() },
            random: systemRandom,
          },
          target: { connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
        };
        expect(await containLeaks({ ...input, action: 'contain' }, dependencies)).toEqual({
          containments: [expect.objectContaining({ loginsRefused: false, sessionsEnded: 0 })],
        });
        const newVersionId = await rotate();
        const proof = await verifyLeaks({ ...input, action: 'verify', newVersionId }, dependencies);
        expect(proof).toMatchObject({
          verifications: [{ versionId: 'v1', outcome: 'unverifiable', note: expect.any(String) }],
          current: 'unverifiable',
        });
        expect(proof.refusedAt).toBeUndefined();
      }
    });

    test('the value is whole after any crash, retry, duplicate and late delivery', async () => {
      const names = Object.keys(value.secrets);
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...names), histories, async (name, history) => {
          const one = { value, secret: value.secrets[name] ?? {} };
          const { store, bus, current, step } = world(one, strategy);
          const environment = () => {
            const faults = { hook: crashAt(undefined) };
            const hook: Hook = (call, when) => faults.hook(call, when);
            const lifecycle = engine({
              rotator: value.rotator,
              store: intercept(store, 'store', hook),
              strategy,
              bus: intercept(bus, 'bus', hook),
            });
            return { faults, lifecycle };
          };
          let warm = environment();
          const everCurrent = new Set<string>();
          await play(history, {
            begin: (token) => store.begin(arn, token),
            cancel: () => store.removePending(arn),
            async invoke({ step: name, token }, { crash, cold, pace }: InvocationOptions) {
              const { faults, lifecycle } = cold ? environment() : warm;
              faults.hook = crashAt(crash, pace);
              const failure = await outcome(step(lifecycle, name, token));
              if (crash !== undefined && !cold) warm = environment();
              return failure;
            },
            check() {
              expect(kept(one, current())).toEqual(kept(one, one.secret));
              everCurrent.add(JSON.stringify(valuesOf(one, current())));
              const stored = store.values(arn).map((text) => JSON.stringify(valuesOf(one, JSON.parse(text))));
              // No two versions hold the same value, and none that was ever current is lost.
              expect(new Set(stored).size).toBe(stored.length);
              expect(stored).toEqual(expect.arrayContaining([...everCurrent]));
            },
          });
          const succeeded = bus.events.flatMap((event) =>
            event.detailType === 'Secret Rotation Succeeded' ? [event.detail.data.versionId] : [],
          );
          expect(succeeded).toContain(store.peek(arn, 'AWSCURRENT')?.versionId);
          // One that was cancelled right after its last step moved the label may have had no time to say so.
          expect(new Set(succeeded).size).toBeLessThan(everCurrent.size);
        }),
        { numRuns: 300 },
      );
    });
  });
});
