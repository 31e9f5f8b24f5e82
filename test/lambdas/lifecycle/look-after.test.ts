import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ContainmentInput, ContainOutcome } from '../../../core/deployed/revocation-state.ts';
import { RekeyError, SecretError } from '../../../core/errors/rekey-error.ts';
import type { AnyEvent } from '../../../core/events/catalogue.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import type { ManualSecret } from '../../../core/lifecycle/manual-secret.ts';
import { lifecycleTags } from '../../../core/lifecycle/marks.ts';
import type { SecretDefinition } from '../../../core/secret/definition.ts';
import { type LifecycleDependencies, lookAfter } from '../../../lambdas/lifecycle/look-after.ts';

const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
const dayMs = 86_400_000;

/** The secrets of an account, as far as the lifecycle sees and changes them. */
class World implements LifecycleDependencies {
  now = new Date('2026-11-28T05:00:00Z');
  readonly published: AnyEvent[] = [];
  readonly contained: ContainmentInput[] = [];
  readonly logged: string[] = [];
  readonly tags = new Map<string, Record<string, string>>();
  rotated: SecretDefinition[] = [];
  manual: ManualSecret[] = [];
  rotationEnabled = true;
  current = { versionId: 'version-2', created: new Date('2026-11-01T00:00:00Z') };
  outcome: ContainOutcome | RekeyError = {
    containments: [{ versionIds: ['version-2'], identity: 'orders', loginsRefused: true, sessionsEnded: 2 }],
    refusedAt: '2026-11-28T05:00:01.000Z',
  };
  /** Fails after the events were published, before the tag is set. */
  failsToTag = false;

  readonly definitions = { list: async () => this.rotated };
  readonly manualSecrets = { list: async () => this.manual };
  readonly records = { publish: async (events: readonly AnyEvent[]) => void this.published.push(...events) };
  readonly remindDaysBefore = [30, 7, 1];
  readonly origin = {
    source: 'rekey.lifecycle',
    environment: 'prod',
    actor: 'lambda:lifecycle',
    clock: { now: () => this.now },
    random: { bytes: (length: number) => new Uint8Array(length), integer: () => 0 },
  } as const;
  readonly log = (_message: string, about: Readonly<Record<string, unknown>>) =>
    void this.logged.push(JSON.stringify(about));
  readonly rotatedAgain: string[] = [];
  readonly rotations = {
    rotate: async (_secretId: string, token: string) => {
      this.rotatedAgain.push(token);
      this.rotationEnabled = true;
      return 'started' as const;
    },
  };
  readonly newToken = () => 'token-1';
  readonly contain = async (_functionName: string, input: ContainmentInput) => {
    this.contained.push(input);
    if (this.outcome instanceof RekeyError) throw this.outcome;
    return this.outcome;
  };
  readonly store = {
    describe: async (id: string) => {
      const name = id.replace(/^.*:secret:|-AbCdEf$/g, '');
      if (name === 'gone') throw new SecretError('SecretMissing', 'secret gone does not exist');
      return {
        arn: arn(name),
        name,
        rotationEnabled: this.rotationEnabled,
        versions: { [this.current.versionId]: ['AWSCURRENT'], 'version-1': ['AWSPREVIOUS'] },
        tags: { ...this.tags.get(name) },
      };
    },
    listVersions: async () => [
      { ...this.current, stages: ['AWSCURRENT'] },
      { versionId: 'version-1', stages: ['AWSPREVIOUS'] },
    ],
    tag: async (id: string, key: string, value: string) => {
      if (this.failsToTag) throw new SecretError('SecretAccessDenied', 'denied');
      const name = id.replace(/^.*:secret:|-AbCdEf$/g, '');
      this.tags.set(name, { ...this.tags.get(name), [key]: value });
    },
    untag: async (id: string, key: string) => {
      const name = id.replace(/^.*:secret:|-AbCdEf$/g, '');
      const { [key]: _, ...rest } = this.tags.get(name) ?? {};
      this.tags.set(name, rest);
    },
    cancelRotation: async () => {
      this.rotationEnabled = false;
    },
  };

  /** Runs once, and gives what was recorded by it. */
  async run() {
    const before = this.published.length;
    const result = await lookAfter(this);
    const events = this.published.slice(before).map(({ detailType, detail }) => {
      expect(detailSchema(detailType).safeParse(detail).error).toBeUndefined();
      return [detailType, detail.data] as const;
    });
    return { ...result, events };
  }

  /** Runs once a day, and gives the days on which something of a kind was recorded. */
  async daysOf(detailType: string, days: number) {
    const found: string[] = [];
    for (let day = 0; day < days; day += 1) {
      const { events } = await this.run();
      if (events.some(([type]) => type === detailType)) found.push(this.now.toISOString().slice(0, 10));
      this.now = new Date(this.now.getTime() + dayMs);
    }
    return found;
  }
}

const definition = (changes: Partial<SecretDefinition> = {}): SecretDefinition => ({
  name: 'orders',
  arn: arn('orders'),
  type: 'postgresql',
  strategy: 'single-user',
  owner: 'team-orders',
  consumers: [],
  schedule: 'rate(30 days)',
  rotationFunction: 'rotation',
  containmentFunction: 'containment',
  ...changes,
});
const licence: ManualSecret = {
  name: 'licence',
  arn: 'licence',
  owner: 'team-web',
  purpose: 'opens an API',
  consumers: [],
  replaceEveryDays: 60,
};

let world: World;
beforeEach(() => {
  world = new World();
});

describe('a secret that is new, or has a new owner', () => {
  test('is registered once, with owner, purpose and expiry', async () => {
    world.rotated = [definition({ purpose: 'takes orders', expires: '2028-01-01' })];
    expect((await world.run()).events).toEqual([
      [
        'Secret Registered',
        {
          secretArn: arn('orders'),
          secretName: 'orders',
          owner: 'team-orders',
          secretType: 'postgresql',
          purpose: 'takes orders',
          expires: '2028-01-01',
        },
      ],
    ]);
    expect((await world.run()).events).toEqual([]);
  });

  test('whose owner changes is transferred, from whom to whom', async () => {
    world.rotated = [definition()];
    await world.run();
    world.rotated = [definition({ owner: 'Bücher & Söhne (shop)' })];
    const [[type, data] = []] = (await world.run()).events;
    expect([type, data]).toEqual([
      'Secret Ownership Transferred',
      expect.objectContaining({ from: 'team-orders', to: 'Bücher & Söhne (shop)' }),
    ]);
    expect((await world.run()).events).toEqual([]);
    world.rotated = [definition({ owner: 'team-orders' })];
    expect((await world.run()).events[0]?.[1]).toMatchObject({
      from: 'Bücher & Söhne (shop)',
      to: 'team-orders',
    });
  });

  test('is told again under the same id where its mark could not be set', async () => {
    world.rotated = [definition()];
    world.failsToTag = true;
    expect(await world.run()).toMatchObject({ failed: [], skipped: ['orders'] });
    world.failsToTag = false;
    await world.run();
    const ids = world.published.map(({ detail }) => detail.metadata.id);
    expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
  });
});

describe('a secret with a last day', () => {
  beforeEach(() => {
    world.rotated = [definition({ expires: '2027-01-15' })];
  });

  test('is reminded of at the days that are named, and ended on the day after the last', async () => {
    expect(await world.daysOf('Secret Expiry Near', 49)).toEqual(['2026-12-16', '2027-01-08', '2027-01-14']);
    expect(world.contained).toEqual([]);
    expect(world.now.toISOString()).toMatch(/^2027-01-16/);
    expect((await world.run()).events).toEqual([
      ['Secret Expired', expect.objectContaining({ expires: '2027-01-15', ended: true })],
    ]);
  });

  test('ends: no schedule, no login with any version, and once', async () => {
    world.now = new Date('2027-01-16T05:00:00Z');
    await world.run();
    expect(world.rotationEnabled).toBe(false);
    expect(world.contained).toMatchObject([
      { action: 'contain', secretName: 'orders', versions: ['version-2', 'version-1'], named: false },
    ]);
    expect(world.tags.get('orders')?.[lifecycleTags.expired]).toBe('2027-01-15 version-2');
    expect((await world.run()).events).toEqual([]);
    expect(world.contained).toHaveLength(1);
  });

  test('is ended again where a version came after its end, or its schedule was turned on', async () => {
    world.now = new Date('2027-01-16T05:00:00Z');
    await world.run();
    world.current = { versionId: 'version-3', created: new Date('2027-01-16T09:00:00Z') };
    await world.run();
    expect(world.contained).toHaveLength(2);
    world.rotationEnabled = true;
    await world.run();
    expect([world.rotationEnabled, world.contained.length]).toEqual([false, 2]);
  });

  test('whose target does not answer is tried again, and refuses rotations meanwhile', async () => {
    world.now = new Date('2027-01-16T05:00:00Z');
    world.outcome = new RekeyError('TargetUnreachable', 'db.internal does not answer');
    expect((await world.run()).failed).toEqual([{ secretName: 'orders', code: 'TargetUnreachable' }]);
    expect(world.tags.get('orders')?.[lifecycleTags.expired]).toBe('2027-01-15 pending');
    expect(world.published.map(({ detailType }) => detailType)).not.toContain('Secret Expired');
    world.outcome = { containments: [], refusedAt: '2027-01-16T05:00:01.000Z' };
    expect((await world.run()).events).toMatchObject([['Secret Expired', { ended: true }]]);
  });

  test('that a policy or a key closes to the function is skipped, and an error once it should have ended', async () => {
    world.failsToTag = true;
    expect(await world.run()).toMatchObject({ looked: 1, failed: [], skipped: ['orders'] });
    expect(world.logged).toEqual([expect.stringContaining('"code":"SecretAccessDenied"')]);
    world.now = new Date('2027-01-16T05:00:00Z');
    expect(await world.run()).toMatchObject({
      failed: [{ secretName: 'orders', code: 'SecretAccessDenied' }],
      skipped: [],
    });
  });

  test('that nothing could be shown of is a task for a person', async () => {
    world.now = new Date('2027-01-16T05:00:00Z');
    world.outcome = { containments: [] };
    expect((await world.run()).events.at(-1)).toEqual([
      'Secret Expired',
      expect.objectContaining({ ended: false, note: expect.stringContaining('end it there by hand') }),
    ]);
  });

  test('rotates again, and at once, when the day is put off', async () => {
    world.now = new Date('2027-01-16T05:00:00Z');
    await world.run();
    world.rotated = [definition({ expires: '2028-01-15' })];
    expect((await world.run()).events).toEqual([
      ['Secret Expiry Extended', expect.objectContaining({ expires: '2028-01-15' })],
    ]);
    expect(world.tags.get('orders')).not.toHaveProperty([lifecycleTags.expired]);
    expect([world.rotatedAgain, world.rotationEnabled]).toEqual([['token-1'], true]);
  });
});

describe('a secret that people replace', () => {
  beforeEach(() => {
    world.manual = [licence];
  });

  test('is due so many days after its value was stored, and every week from then on', async () => {
    // Stored on 1 November, every 60 days: due on 31 December.
    expect(await world.daysOf('Secret Replacement Due', 50)).toEqual([
      '2026-12-01',
      '2026-12-24',
      '2026-12-30',
      '2027-01-01',
      '2027-01-07',
      '2027-01-14',
    ]);
  });

  test('counts anew from its next value', async () => {
    world.now = new Date('2027-01-05T05:00:00Z');
    expect((await world.run()).events.at(-1)).toEqual([
      'Secret Replacement Due',
      expect.objectContaining({ owner: 'team-web', date: '2026-12-31', daysLeft: -5 }),
    ]);
    world.current = { versionId: 'version-3', created: new Date('2027-01-05T09:00:00Z') };
    expect((await world.run()).events).toEqual([]);
  });

  test('that is overdue is reminded of its end all the same', async () => {
    world.manual = [{ ...licence, replaceEveryDays: 1, expires: '2026-12-03' }];
    expect((await world.run()).events.at(-1)).toEqual([
      'Secret Expiry Near',
      expect.objectContaining({ date: '2026-12-03', daysLeft: 5 }),
    ]);
  });

  test('that ends is told once to a person', async () => {
    world.manual = [{ ...licence, expires: '2026-11-27' }];
    expect((await world.run()).events.at(-1)).toEqual([
      'Secret Expired',
      expect.objectContaining({ ended: false, note: expect.stringContaining('at its service') }),
    ]);
    expect((await world.run()).events).toEqual([]);
  });
});

test('one secret that fails does not keep the others', async () => {
  world.rotated = [definition({ name: 'gone', arn: arn('gone') }), definition()];
  const { looked, failed, events } = await world.run();
  expect({ looked, failed }).toEqual({ looked: 2, failed: [{ secretName: 'gone', code: 'SecretMissing' }] });
  expect(events).toHaveLength(1);
  expect(world.logged).toEqual([expect.stringContaining('"code":"SecretMissing"')]);
});
