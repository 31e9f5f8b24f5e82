import { expect, test } from '@jest/globals';
import { systemRandom } from '../../adapters/random.ts';
import { AuditUnavailableError } from '../../core/errors/rekey-error.ts';
import type { AnyEvent } from '../../core/events/catalogue.ts';
import { endOverlaps } from '../../lambdas/rotation/overlaps.ts';
import { noDatabases } from '../lambdas/rotation/engine.ts';
import { IssuingTarget, issuingRotator } from '../lambdas/rotation/issuing-target.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/key-AbCdEf';
const start = Date.parse('2026-01-01T00:00:00Z');

/**
 * Invariant 3: nothing done without a record. The act comes first and the record behind it; where neither bus nor queue takes
 * that, or the function is ended between the two, the next hour finds nothing left to do, and tells nobody.
 */
test.failing.each([
  ['disabled', 30],
  ['removed', 60],
])('a credential that was %s while no record was taken is recorded an hour later', async (done, hours) => {
  const target = new IssuingTarget();
  const store = new MemoryStore();
  store.create(arn, JSON.stringify(target.issue('first')));
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
        ...{ rotator: issuingRotator(target), strategy: 'dual-credential', store, databases: noDatabases },
        records: {
          publish: async (published) => {
            if (!isTaking) throw new AuditUnavailableError('neither takes it');
            events.push(...published);
          },
        },
        origin: {
          ...{ source: 'rekey.rotation', environment: 'test', actor: 'test', random: systemRandom },
          clock: { now: () => new Date(start + at * 3_600_000) },
        },
        target: { connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
        remainingMs: () => 60_000,
        wait: async () => undefined,
      },
    );
  await sweep(hours);
  isTaking = true;
  await sweep(hours + 1);
  expect(events.map(({ detailType, detail }) => [detailType, Reflect.get(detail.data, 'done')])).toEqual([
    ['Credential Retired', done],
  ]);
});
