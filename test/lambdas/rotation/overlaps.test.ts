import { describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { retireEventSchema } from '../../../core/deployed/overlap-event.ts';
import { RekeyError, SecretError } from '../../../core/errors/rekey-error.ts';
import type { SecretStore } from '../../../core/ports.ts';
import { dailyHour, endOverlaps, failureOf, summarizeOverlaps } from '../../../lambdas/rotation/overlaps.ts';
import { MemoryBus, noDatabases } from './engine.ts';
import { IssuingTarget, issuingRotator } from './issuing-target.ts';
import { MemoryStore } from './memory-store.ts';

const hourMs = 3_600_000;
const start = Date.parse('2026-01-01T00:00:00Z');
const arnOf = (index: number) =>
  `arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/key-${index}-AbCdEf`;

/** Secrets that have rotated once at `start`, with a store that notes every call. */
async function world(count: number) {
  const target = new IssuingTarget();
  target.places = 2 * count;
  const memory = new MemoryStore();
  const bus = new MemoryBus();
  const secrets = Array.from({ length: count }, (_, index) => arnOf(index));
  for (const arn of secrets) {
    memory.create(arn, JSON.stringify(target.issue(`${arn} first`)));
    await memory.putPending(arn, 'v2', JSON.stringify(target.issue(`${arn} second`)));
    await memory.moveCurrent(arn, { to: 'v2', from: 'v1' });
    memory.removePending(arn);
    memory.noteRotated(arn, new Date(start));
  }
  const calls: string[] = [];
  const time = { remaining: 60_000 };
  const hooks: { before?: (call: string, arn: string) => Promise<void> | void } = {};
  const store = new Proxy<SecretStore>(memory, {
    get(object, name: keyof SecretStore) {
      return async (arn: string, ...rest: never[]) => {
        calls.push(`${name} ${arn}`);
        await hooks.before?.(name, arn);
        return await (object[name] as (...all: unknown[]) => unknown).call(object, arn, ...rest);
      };
    },
  });
  const sweep = (hours: number) =>
    endOverlaps(
      secrets,
      { overlapHours: 24, graceHours: 24 },
      {
        rotator: issuingRotator(target),
        strategy: 'dual-credential',
        store,
        databases: noDatabases,
        records: bus,
        origin: {
          source: 'rekey.rotation',
          environment: 'test',
          actor: 'test',
          random: systemRandom,
          clock: { now: () => new Date(start + hours * hourMs) },
        },
        target: { connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
        remainingMs: () => time.remaining,
        wait: async (ms) => {
          calls.push(`wait ${ms}`);
        },
      },
    );
  const begun = (call: string) => calls.filter((each) => each.startsWith(`${call} `));
  return { target, secrets, calls, begun, time, hooks, sweep, bus, memory };
}

describe('the hourly walk over the secrets of a function', () => {
  test('reads no value, and waits for nothing, while no overlap is due', async () => {
    const { sweep, begun, secrets } = await world(120);
    expect(summarizeOverlaps(await sweep(3))).toEqual({ 'overlap not over': 120 });
    expect(begun('describe')).toHaveLength(120);
    // The date of the last rotation says enough.
    expect([begun('listVersions'), begun('wait')]).toEqual([[], []]);
    const notToday = 24 * 30 + ((dailyHour(secrets[0] ?? '') + 1) % 24);
    const later = summarizeOverlaps(await sweep(notToday));
    expect(later['long over']).toBeGreaterThan(90);
    expect(begun('read').length).toBeLessThan(2 * 30);
  });

  test.each(['InProgress', 'Failed'])(
    'a replica that is %s holds the end back, and is a finding, once',
    async (status) => {
      const { sweep, secrets, memory, bus, target } = await world(2);
      const [arn = ''] = secrets;
      const replicas = (of: string) => [
        { region: 'us-east-1', status: 'InSync' },
        { region: 'eu-west-1', status: of },
      ];
      memory.replicate(arn, replicas(status));
      expect(summarizeOverlaps(await sweep(25))).toEqual({ 'replica behind': 1, disabled: 1 });
      expect([...target.keys.values()].filter(({ enabled }) => enabled)).toHaveLength(3);
      await sweep(26);
      const findings = bus.events.filter(({ detailType }) => detailType === 'Finding Raised');
      expect(new Set(findings.map(({ detail }) => detail.metadata.id)).size).toBe(1);
      expect(findings[0]?.detail.data).toMatchObject({
        secretArn: arn,
        code: 'ReplicaOutdated',
        message: expect.stringContaining('in eu-west-1'),
      });
      memory.replicate(arn, replicas('InSync'));
      expect(summarizeOverlaps(await sweep(27))).toMatchObject({ disabled: 1 });
      expect([...target.keys.values()].filter(({ enabled }) => enabled)).toHaveLength(2);
    },
  );

  test('ends the overlaps of 120 secrets after one wait, each looked at before it and again after it', async () => {
    const { sweep, calls, target, secrets } = await world(120);
    expect(summarizeOverlaps(await sweep(25))).toEqual({ disabled: 120 });
    expect([...target.keys.values()].filter(({ enabled }) => enabled)).toHaveLength(120);
    const wait = calls.indexOf('wait 3000');
    expect(calls.filter((call) => call.startsWith('wait'))).toHaveLength(1);
    for (const arn of secrets) {
      expect(calls.slice(0, wait).filter((call) => call === `describe ${arn}`)).toHaveLength(1);
      expect(calls.slice(wait).filter((call) => call === `describe ${arn}`)).toHaveLength(1);
    }
    expect(calls.slice(0, wait).filter((call) => call.startsWith('read'))).toEqual([]);
  });

  test('works on a few secrets at once', async () => {
    const { sweep, hooks } = await world(40);
    let [now, most] = [0, 0];
    hooks.before = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
    };
    await sweep(25);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(5);
  });

  test('is not kept from the others by one that fails, and names those that failed', async () => {
    const { sweep, hooks, secrets, target } = await world(30);
    const [unknown, unreadable] = [secrets[3], secrets[7]];
    hooks.before = (call, arn) => {
      if (arn === unknown) throw new SecretError('SecretMissing', `secret ${arn} does not exist`);
      if (call === 'read' && arn === unreadable) throw new Error('hunter2');
    };
    const outcomes = await sweep(25);
    expect(summarizeOverlaps(outcomes)).toEqual({ disabled: 28, failed: 2 });
    const failure = failureOf(outcomes);
    expect(failure).toMatchObject({ code: 'OverlapsNotEnded', retryable: false });
    expect(failure?.message).toContain('2 of 30 secrets');
    expect(failure?.message).toContain(`${unknown} (SecretMissing)`);
    expect(failure?.message).toContain(`${unreadable} (Unexpected)`);
    expect(failure?.message).not.toContain('hunter2');
    // The second try of the same event does the rest, and nothing again.
    hooks.before = () => undefined;
    const again = await sweep(25);
    expect(summarizeOverlaps(again)).toEqual({ nothing: 28, disabled: 2 });
    expect(failureOf(again)).toBeUndefined();
    expect([...target.keys.values()].filter(({ enabled }) => enabled)).toHaveLength(30);
  });

  test.each([
    [25, ' and 15 more;'],
    [11, ' and 1 more;'],
    [10, ';'],
  ])('names ten at the most of %d that failed', async (count, more) => {
    const { sweep, hooks } = await world(count);
    hooks.before = () => {
      throw new SecretError('SecretAccessDenied', 'no');
    };
    const { message = '' } = failureOf(await sweep(25)) ?? {};
    expect(message).toContain(`overlaps of ${count} of ${count} secrets`);
    expect(message).toContain(`(SecretAccessDenied)${more}`);
    expect(message.split('(SecretAccessDenied)')).toHaveLength(11);
  });

  test('is delayed where one of those that failed may do better soon', async () => {
    const { sweep, hooks, secrets } = await world(3);
    const [busy, gone] = secrets;
    hooks.before = (_call, arn) => {
      if (arn === busy) throw new RekeyError('ResourceBusy', 'too many requests');
      if (arn === gone) throw new SecretError('SecretMissing', 'gone');
    };
    expect(failureOf(await sweep(25))).toMatchObject({ code: 'OverlapsDelayed', retryable: true });
  });

  test('begins what it can in the first half of its time, and says of each of the others that it is left', async () => {
    const { sweep, hooks, time, begun } = await world(40);
    hooks.before = (call) => {
      if (call === 'describe') time.remaining -= 3_000;
    };
    const outcomes = await sweep(3);
    expect(summarizeOverlaps(outcomes)).toEqual({ 'overlap not over': 11, 'left for the next hour': 29 });
    expect([outcomes.length, begun('wait')]).toEqual([40, []]);
  });

  test('begins no secret in the second half of its time, and goes on with others in the next hour', async () => {
    const { sweep, hooks, time, target } = await world(40);
    const slow = async (hours: number) => {
      time.remaining = 60_000;
      // Each read takes as long as a target that does not answer.
      hooks.before = (call) => {
        if (call === 'read') time.remaining -= 2_000;
      };
      return summarizeOverlaps(await sweep(hours));
    };
    const first = await slow(25);
    const left = first['left for the next hour'] ?? 0;
    expect(left).toBeGreaterThan(10);
    expect((first.disabled ?? 0) + left).toBe(40);
    for (let hour = 26; hour < 36; hour += 1) await slow(hour);
    expect([...target.keys.values()].filter(({ enabled }) => enabled)).toHaveLength(40);
  });
});

test('takes the event of the schedule, and no step of a rotation for one', () => {
  expect(retireEventSchema.safeParse({ RetirePrevious: ['/test/orders'] }).success).toBe(true);
  for (const other of [
    { RetirePrevious: [] },
    { RetirePrevious: '/test/orders' },
    { Step: 'createSecret' },
  ]) {
    expect(retireEventSchema.safeParse(other).success).toBe(false);
  }
});
