import { describe, expect, test } from '@jest/globals';
import { SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import type { Rotator } from '../../../core/rotator.ts';
import type { Strategy } from '../../../core/secret/secret.ts';
import { steps } from '../../../lambdas/rotation/event.ts';
import { engine, MemoryBus } from './engine.ts';
import { MemoryStore } from './memory-store.ts';
import { type ModelSecret, ModelTarget, modelRotator } from './model-target.ts';

const prefix = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test';
const arn = `${prefix}/app-AbCdEf`;
const adminArn = `${prefix}/admin-AbCdEf`;
const first = { username: 'app', password: 'first password', team: 'orders', tenant: 1, masterarn: adminArn };

/** A secret with one user, and a person beside it. */
function scene(strategy: Strategy = 'single-user', rotator?: (target: ModelTarget) => Rotator<ModelSecret>) {
  const target = new ModelTarget();
  const store = new MemoryStore();
  const bus = new MemoryBus();
  store.create(arn, JSON.stringify(first));
  store.create(adminArn, JSON.stringify({ username: 'admin', password: 'admin password' }));
  target.passwords.set('app', first.password).set('admin', 'admin password');
  const start = () => engine({ rotator: (rotator ?? modelRotator)(target), store, bus, strategy });
  let warm = start();
  const current = (): Record<string, unknown> => JSON.parse(store.peek(arn, 'AWSCURRENT')?.value ?? '{}');
  const run = (Step: string, token: string) => warm.run({ Step, SecretId: arn, ClientRequestToken: token });
  return {
    target,
    store,
    bus,
    current,
    run,
    /** What follows runs in a new execution environment. */
    cold: () => {
      warm = start();
    },
    async rotate(token: string, upTo: (typeof steps)[number] = 'finishSecret') {
      if (store.peek(arn, 'AWSPENDING')?.versionId !== token) store.begin(arn, token);
      for (const step of steps.slice(0, steps.indexOf(upTo) + 1)) await run(step, token);
    },
    /** A person stores a value that is current at once. */
    edit: (id: string, change: object) => store.put(arn, id, JSON.stringify({ ...current(), ...change })),
    logsIn: () => target.passwords.get(String(current().username)) === current().password,
    isPending: (token: string) => store.peek(arn, 'AWSPENDING')?.versionId === token,
  };
}

/** The code and the message of what a step was refused with. */
const refusal = (work: Promise<unknown>): Promise<{ code: string; message: string }> =>
  work.then(
    () => ({ code: 'none', message: '' }),
    (error) => ({ code: error.code, message: error.message }),
  );

const environments = { 'the same environment': false, 'a new environment': true };

describe.each(Object.entries(environments))('in %s, a pending version', (_, cold) => {
  const after = steps.slice(0, 3).map((step) => [step] as const);

  test.each(after)('is refused when a key was corrected after %s, and the correction stays', async (step) => {
    const { edit, rotate, cold: restart, current, isPending, logsIn } = scene();
    await rotate('t1', step);
    edit('by-hand', { team: 'sales', ssl: true });
    if (cold) restart();
    const { code, message } = await refusal(rotate('t1'));
    expect(code).toBe('PendingOutdated');
    expect(message).toMatch(
      cold
        ? /the current version was stored after it was made.*rotate again$/
        : /somebody has stored or labelled another current version since it was made.*rotate again$/,
    );
    expect(message).not.toContain('sales');
    expect(isPending('t1')).toBe(false);
    expect(current()).toMatchObject({ team: 'sales', ssl: true });
    await rotate('t2');
    expect(current()).toMatchObject({ ...first, team: 'sales', ssl: true, password: expect.any(String) });
    expect(logsIn()).toBe(true);
  });

  test('is not made current by a finish whose current version was stored meanwhile', async () => {
    const { edit, rotate, run, cold: restart, current } = scene();
    await rotate('t1', 'testSecret');
    edit('by-hand', { team: 'sales' });
    if (cold) restart();
    expect(await refusal(run('finishSecret', 't1'))).toHaveProperty('code', 'PendingOutdated');
    expect(current().team).toBe('sales');
  });

  test('is trusted when nothing but its credential differs', async () => {
    const { rotate, cold: restart, logsIn, current } = scene();
    await rotate('t1', 'setSecret');
    if (cold) restart();
    await rotate('t1');
    expect([logsIn(), current().team]).toEqual([true, 'orders']);
  });
});

describe('a version that was current before', () => {
  /** t1 was rotated to, and a person has replaced its password since, at the target and in the secret. */
  async function replaced() {
    const world = scene();
    await world.rotate('t1');
    const leaked = String(world.current().password);
    world.target.passwords.set('app', 'set by a person');
    world.edit('by-hand', { password: 'set by a person' });
    world.cold();
    return { ...world, leaked };
  }

  const ways: [string, string, (world: Awaited<ReturnType<typeof replaced>>) => void][] = [
    [
      'with the label that stayed on it',
      'it was current before',
      ({ store }) => store.label(arn, 'AWSPENDING', 't1'),
    ],
    [
      'whose AWSPREVIOUS has moved on',
      'the current version was stored after it was made',
      ({ store, edit }) => {
        edit('by-hand-2', { team: 'sales' });
        store.label(arn, 'AWSPENDING', 't1');
      },
    ],
    [
      'after which AWSCURRENT was moved back twice',
      'another rotation has ended since it was made',
      ({ store }) => {
        store.noteRotated(arn, new Date('2026-01-02T00:00:00Z'));
        store.label(arn, 'AWSCURRENT', 't1');
        store.label(arn, 'AWSCURRENT', 'v1');
        store.label(arn, 'AWSPREVIOUS', 'by-hand');
        store.label(arn, 'AWSPENDING', 't1');
      },
    ],
  ];
  test.each(ways)('%s never comes back: %s', async (_, why, move) => {
    const world = await replaced();
    move(world);
    const before = world.target.passwords.get('app');
    const { code, message } = await refusal(world.rotate('t1'));
    expect(code).toBe('PendingOutdated');
    expect(message).toContain(why);
    expect(world.target.passwords.get('app')).toBe(before);
    expect(world.isPending('t1')).toBe(false);
    await world.rotate('t2');
    expect(world.logsIn()).toBe(true);
    expect(world.target.passwords.get('app')).not.toBe(world.leaked);
  });

  // The environment that has stored a version knows its value without asking for it, and so without its date.
  test.each(Object.entries(environments))(
    'is known by its age, in %s, where a person made a version current that a rotation had left',
    async (_name, cold) => {
      const { target, store, edit, rotate, cold: restart, isPending, logsIn } = scene();
      await rotate('t1', 'setSecret');
      edit('by-hand', { team: 'sales' });
      store.label(arn, 'AWSCURRENT', 't1');
      store.label(arn, 'AWSPENDING', 'v1');
      if (cold) restart();
      const before = target.passwords.get('app');
      expect(await refusal(rotate('v1'))).toHaveProperty('code', 'PendingOutdated');
      expect([target.passwords.get('app'), isPending('v1'), logsIn()]).toEqual([before, false, true]);
    },
  );
});

describe('in a new environment, a pending version that is compared with the current one', () => {
  /** The last step of a version of which the target accepts the password, both as they are stored. */
  async function finished(
    current: string | undefined,
    pending: string,
    { dated = (created: Date): Date | undefined => created, rotated = undefined as Date | undefined } = {},
  ) {
    const { store, target, run, ...rest } = scene();
    store.create(arn, current);
    if (rotated !== undefined) store.noteRotated(arn, rotated);
    await store.putPending(arn, 't1', pending);
    target.passwords.set('app', 'next password');
    const read = store.read.bind(store);
    store.read = async (...which) => {
      const { created = new Date(0), ...version } = (await read(...which)) ?? { versionId: '' };
      const date = dated(created);
      return 'value' in version ? { ...version, ...(date && { created: date }) } : undefined;
    };
    const { code, message } = await refusal(run('finishSecret', 't1'));
    return { ...rest, code, message, isCurrent: store.peek(arn, 'AWSCURRENT')?.versionId === 't1' };
  }
  const next = { ...first, password: 'next password' };
  const [now, after] = [JSON.stringify(first), JSON.stringify(next)];

  test.each([
    ['has no text', undefined],
    ['holds no credential', '{"team":"orders","note":"of nobody"}'],
    ['is a first value', '{"password":"of nobody yet"}'],
  ])('takes the place of one that %s', async (_, current) => {
    expect(await finished(current, after)).toMatchObject({ code: 'none', isCurrent: true });
  });

  test('is refused for what it is where it holds no credential', async () => {
    const { code, isCurrent } = await finished(now, '{"username":12,"password":"next password"}');
    expect([code, isCurrent]).toEqual(['SecretValueInvalid', false]);
  });

  test.each([
    ['no date', undefined],
    ['the same date', new Date('2026-01-02T00:00:00Z')],
  ])('is judged by its content where both have %s', async (_, date) => {
    const [dated, rotated] = [() => date, date];
    expect(await finished(now, after, { dated, rotated })).toMatchObject({ code: 'none', isCurrent: true });
    const { code, message } = await finished(now, JSON.stringify({ ...next, team: 'sales' }), {
      dated,
      rotated,
    });
    expect(code).toBe('PendingOutdated');
    expect(message).toContain('the current version differs from it in team;');
  });

  test.each([
    [5, 'in a, b, c, d, e;'],
    [7, 'in a, b, c, d, e and 2 more;'],
  ])('is refused with the keys in which it differs, five at the most: of %d', async (count, text) => {
    const keys = Object.fromEntries([...'abcdefg'].slice(0, count).map((key) => [key, 'lost']));
    const { message } = await finished(JSON.stringify({ ...first, ...keys }), after);
    expect(message).toContain(`the current version differs from it ${text}`);
  });

  test('is not compared again: who stores another current version afterwards is noticed by that', async () => {
    const { rotate, cold, run, edit } = scene();
    await rotate('t1', 'createSecret');
    cold();
    await rotate('t1', 'testSecret');
    edit('by-hand', { team: 'sales' });
    expect((await refusal(run('finishSecret', 't1'))).message).toContain('somebody has stored or labelled');
  });

  test('is trusted though its user is the other one of two who take turns', async () => {
    const { rotate, cold, run, current, logsIn } = scene('alternating-users');
    await rotate('t1', 'testSecret');
    cold();
    await run('finishSecret', 't1');
    expect([current().username, logsIn()]).toEqual(['app_clone', true]);
  });
});

test('numbers that JavaScript cannot hold tell two versions apart, and white space does not', async () => {
  const { store, rotate, cold } = scene();
  const text = (tenant: string, space = '') =>
    JSON.stringify({ ...first, tenant: 'N' })
      .replace('"N"', tenant)
      .replaceAll(',', `,${space}`);
  store.create(arn, text('9007199254740993'));
  await rotate('t1', 'createSecret');
  store.create(arn, text('9007199254740993', '\n  '));
  await store.putPending(arn, 't1', text('9007199254740993').replace('first password', 'second password'));
  cold();
  await rotate('t1');
  store.create(arn, text('9007199254740993'));
  await store.putPending(arn, 't2', text('9007199254740992').replace('first password', 'third password'));
  cold();
  expect((await refusal(rotate('t2'))).message).toContain('differs from it in tenant;');
});

describe('a value that no later try can make current', () => {
  const refusing = (target: ModelTarget): Rotator<ModelSecret> => ({
    ...modelRotator(target),
    async apply() {
      throw new TargetError('PolicyRefused', "the server's password policy forbids it (1819)");
    },
  });

  test('is given up when the target refuses it by its rules, and the next rotation makes another one', async () => {
    let strict = true;
    const { rotate, isPending, current, logsIn, bus } = scene('single-user', (target) =>
      strict ? refusing(target) : modelRotator(target),
    );
    const { code, message } = await refusal(rotate('t1'));
    expect(code).toBe('PolicyRefused');
    expect(message).toContain('its label AWSPENDING was taken off: rotate again');
    expect(isPending('t1')).toBe(false);
    expect(bus.events.at(-1)?.detail.data).toMatchObject({ error: { code, message } });
    strict = false;
    const again = scene();
    await again.rotate('t2');
    expect([current().password, logsIn(), again.logsIn()]).toEqual([first.password, true, true]);
  });

  test.each([
    ['empty', { password: '' }],
    ['of another user', { username: 'other', password: 'another password' }],
  ])('is given up when it is %s', async (_, change) => {
    const { store, rotate, isPending } = scene();
    await store.putPending(arn, 't1', JSON.stringify({ ...first, ...change }));
    const { message } = await refusal(rotate('t1'));
    expect(message).toContain('its label AWSPENDING was taken off: rotate again');
    expect(isPending('t1')).toBe(false);
  });

  test('stays where it is while the target is only away', async () => {
    const { rotate, isPending } = scene('single-user', (target) => ({
      ...modelRotator(target),
      async apply() {
        throw new TargetError('TargetUnreachable', 'no answer');
      },
    }));
    expect(await refusal(rotate('t1'))).toHaveProperty('code', 'TargetUnreachable');
    expect(isPending('t1')).toBe(true);
  });

  test('tells what to do when its label cannot be taken off', async () => {
    const { store, rotate } = scene();
    await store.putPending(arn, 't1', JSON.stringify({ ...first, password: '' }));
    store.removePending = async () => {
      throw new SecretError('SecretAccessDenied', 'denied');
    };
    const { code, message } = await refusal(rotate('t1'));
    expect(code).toBe('PendingValueRefused');
    expect(message).toContain(
      'could not be taken off (SecretAccessDenied): give it up with `rekey secret rotate --abandon`',
    );
  });
});

test.each(['', null])('masterarn %j is no admin, and stays as it is', async (masterarn) => {
  const { store, rotate, current, logsIn } = scene();
  store.create(arn, JSON.stringify({ ...first, masterarn }));
  await rotate('t1');
  expect([current().masterarn, logsIn()]).toEqual([masterarn, true]);
});

test('a version with a label of its own is a way in like any other', async () => {
  const { store, target, rotate, logsIn } = scene();
  const { masterarn: _, ...alone } = first;
  store.create(arn, JSON.stringify(alone));
  target.passwords.set('app', 'the only one that works');
  store.put(arn, 'kept', JSON.stringify({ ...alone, password: 'the only one that works' }));
  store.put(arn, 'v2', JSON.stringify({ ...alone, password: 'a wrong one' }));
  store.put(arn, 'v3', JSON.stringify({ ...alone, password: 'another wrong one' }));
  store.label(arn, 'last-known-good', 'kept');
  await rotate('t1');
  expect(logsIn()).toBe(true);
});
