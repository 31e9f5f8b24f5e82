import { expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { AuditUnavailableError } from '../../../core/errors/rekey-error.ts';
import type { AnyEvent } from '../../../core/events/catalogue.ts';
import { endOverlaps } from '../../../lambdas/rotation/overlaps.ts';
import { noDatabases } from './engine.ts';
import { IssuingTarget, issuingRotator } from './issuing-target.ts';
import { MemoryStore } from './memory-store.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/key-AbCdEf';
const start = Date.parse('2026-01-01T00:00:00Z');

/**
 * Invariant 3: nothing done without a record. Were the act first and the record behind it, the next hour would find nothing left to
 * do where neither bus nor queue takes that, and tell nobody.
 */
test.each([
  ['disabled', 30],
  ['removed', 60],
])('a credential that was %s while no record was taken is recorded an hour later', async (done, hours) => {
  const target = new IssuingTarget();
  const store = new MemoryStore();
  const first = target.issue('first');
  store.create(arn, JSON.stringify(first));
  await store.putPending(arn, 'v2', JSON.stringify(target.issue('second')));
  await store.moveCurrent(arn, { to: 'v2', from: 'v1' });
  store.removePending(arn);
  store.noteRotated(arn, new Date(start));
  const events: AnyEvent[] = [];
  let isTaking = false;
  const sweep = (at: number) =>
    endOverlaps(
      [arn],
      { overlapHours: 24, graceHours: 24 },
      {
        rotator: issuingRotator(target),
        strategy: 'dual-credential',
        store,
        databases: noDatabases,
        records: {
          publish: async (published) => {
            if (!isTaking) throw new AuditUnavailableError('neither takes it');
            events.push(...published);
          },
        },
        origin: {
          source: 'rekey.rotation',
          environment: 'test',
          actor: 'test',
          random: systemRandom,
          clock: { now: () => new Date(start + at * 3_600_000) },
        },
        target: { connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
        remainingMs: () => 60_000,
        wait: async () => undefined,
      },
    );
  const [outcome] = await sweep(hours);
  expect(outcome).toMatchObject({ failure: { code: 'AuditUnavailable' } });
  expect(target.accepts(first)).toBe(true);
  isTaking = true;
  await sweep(hours + 1);
  expect(target.accepts(first)).toBe(false);
  expect(
    events.map(({ detailType, detail: { data } }) => [
      detailType,
      'act' in data ? data.act : Reflect.get(data, 'done'),
    ]),
  ).toEqual([
    ['Credential Retirement Started', done === 'disabled' ? 'disable' : 'remove'],
    ['Credential Retired', done],
  ]);
});
