import { describe, expect, test } from '@jest/globals';
import { RekeyError } from '../../../core/errors/rekey-error.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import { hashOf } from '../../../core/fingerprint/digest.ts';
import { readGitHubPartner } from '../../../core/signal/github-partner.ts';
import type { SignalAnswer } from '../../../core/signal/policy.ts';
import { readWebhook } from '../../../core/signal/webhook.ts';
import { takeFromBus } from '../../../lambdas/signal/from-bus.ts';
import { takeSignals } from '../../../lambdas/signal/take-signals.ts';
import * as samples from '../../core/signal/samples.ts';
import { now, SignalWorld, secretArn } from './world.ts';

const found = (values: readonly string[]) =>
  readWebhook({ subjects: values.map((value) => ({ fingerprint: hashOf(value) })) }, 'msg_1', now);

async function taken(answer: SignalAnswer, labels?: Readonly<Record<string, readonly string[]>>) {
  const world = await new SignalWorld().fill(labels);
  world.policies = { webhook: { answer, mode: 'kill', secret: 'scanner' } };
  return { world, take: () => takeSignals(found([samples.sentinel]), 'webhook', world.dependencies()) };
}

describe('a signal about a known value', () => {
  test('act: requests a revocation of the versions that hold it, as of the signal', async () => {
    const { world, take } = await taken('act');
    expect(await take()).toEqual({ requested: 1, told: 0, unresolved: 0 });
    expect(world.requested).toEqual([
      expect.objectContaining({
        source: 'rekey.signal',
        detailType: 'Secret Revocation Requested',
        detail: expect.objectContaining({
          data: {
            select: { secret: secretArn },
            mode: 'kill',
            versions: ['v1'],
            reason: 'signal webhook: ',
            incident: 'msg_1',
            drill: false,
          },
        }),
      }),
    ]);
    expect(world.told('Signal Received')).toEqual([
      expect.objectContaining({ decision: 'requested', alive: 'yes' }),
    ]);
    for (const { detailType, detail } of [...world.requested, ...world.recorded]) {
      expect(detailSchema(detailType).safeParse(detail).error).toBeUndefined();
    }
  });

  test('twice is once: the request and the record have the same ids', async () => {
    const { world, take } = await taken('act');
    await take();
    await take();
    const ids = [...world.requested, ...world.recorded].map(({ detail }) => detail.metadata.id);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(2);
  });

  test('one that cannot be looked up is told, and keeps no other of its message from being answered', async () => {
    const { world } = await taken('act');
    const dependencies = world.dependencies();
    const broken = found(['broken']);
    const good = found([samples.sentinel]);
    if (!('signals' in broken) || !('signals' in good)) throw new Error('both hold signals');
    const failing = {
      ...dependencies,
      lookUp: async (hashes: readonly string[]) => {
        if (hashes.includes(hashOf('broken'))) throw new RekeyError('Throttled', 'KMS is busy');
        const answered = await dependencies.lookUp?.(hashes);
        if (answered === undefined) throw new Error('there are fingerprints');
        return answered;
      },
    };
    const reading = { signals: [...broken.signals, ...good.signals] };
    await expect(takeSignals(reading, 'webhook', failing)).rejects.toMatchObject({ code: 'Throttled' });
    expect(world.requested).toHaveLength(1);
    expect(world.told('Signal Unresolved')).toHaveLength(1);
  });

  test('ask: nothing is requested, and people get the command', async () => {
    const { world, take } = await taken('ask');
    expect(await take()).toEqual({ requested: 0, told: 1, unresolved: 0 });
    expect(world.asked).toBe(1);
    expect(world.requested).toEqual([]);
    expect(world.told('Signal Received')).toEqual([
      expect.objectContaining({
        decision: 'asked',
        command:
          'rekey revoke /dev/orders --mode kill --version-id v1 --reason "…" --incident msg_1 --environment dev --wait',
      }),
    ]);
  });

  test('record: it is recorded alone', async () => {
    const { world, take } = await taken('record');
    await take();
    expect([world.requested, world.asked]).toEqual([[], 0]);
    expect(world.told('Signal Received')).toEqual([expect.objectContaining({ decision: 'recorded' })]);
  });

  test('a credential that was replaced before is told, and not revoked again', async () => {
    const { world, take } = await taken('act', { v1: [] });
    await take();
    expect(world.requested).toEqual([]);
    const [told] = world.told('Signal Received');
    expect(told).toMatchObject({ decision: 'replaced', alive: 'no' });
    expect(told).not.toHaveProperty('command');
  });

  test('what the sender names is no part of the command that a person pastes', async () => {
    const { world } = await taken('ask');
    const reading = readWebhook(
      { id: '$(rm -rf ~)', subjects: [{ fingerprint: hashOf(samples.sentinel) }] },
      'msg_1',
      now,
    );
    await takeSignals(reading, 'webhook', world.dependencies());
    expect(world.told('Signal Received')[0]?.command).not.toContain('rm -rf');
  });

  test('no value and no hash of it is in any event', async () => {
    const { world } = await taken('act');
    world.policies = { ...world.policies, githubPartner: { answer: 'act', mode: 'kill', publicKeys: {} } };
    await takeSignals(readGitHubPartner(samples.gitHubPartner(), now), 'githubPartner', world.dependencies());
    expect(world.requested).toHaveLength(1);
    const text = JSON.stringify([...world.requested, ...world.recorded]);
    for (const value of [samples.sentinel, 'another-value-42-of-somebody']) {
      expect(text).not.toContain(value);
      expect(text).not.toContain(hashOf(value));
    }
  });
});

describe('a signal about what no secret holds', () => {
  test('is told, with the access keys, and never dropped', async () => {
    const world = await new SignalWorld().fill();
    world.policies = { guardduty: { answer: 'act', mode: 'kill' } };
    const report = await takeFromBus(samples.guardDuty(), { ...world.dependencies(), honeySecrets: {} });
    expect(report).toMatchObject({ requested: 0, unresolved: 1 });
    expect(world.asked).toBe(1);
    expect(world.told('Signal Unresolved')).toEqual([
      expect.objectContaining({ reason: 'unknown', accessKeyIds: ['AKIA2EXAMPLEKEY00002'], subjects: 1 }),
    ]);
  });

  test('is told where the sender names no credential', async () => {
    const world = new SignalWorld();
    world.policies = { health: { answer: 'act', mode: 'kill' } };
    await takeFromBus(samples.health({ affectedEntities: [] }), {
      ...world.dependencies(),
      honeySecrets: {},
    });
    expect(world.told('Signal Unresolved')).toEqual([
      expect.objectContaining({ reason: 'unnamed', subjects: 0 }),
    ]);
  });

  test('is told where the environment keeps no fingerprints', async () => {
    const world = await new SignalWorld().fill();
    world.policies = { health: { answer: 'act', mode: 'kill' } };
    const { lookUp: _none, ...dependencies } = world.dependencies();
    await takeFromBus(samples.health(), { ...dependencies, honeySecrets: {} });
    expect(world.told('Signal Unresolved')).toEqual([
      expect.objectContaining({ reason: 'unknown', accessKeyIds: ['AKIA2EXAMPLEKEY00001'] }),
    ]);
  });
});

describe('what may fail', () => {
  test('an access key of AWS Health finds the secret whose version holds it', async () => {
    const world = await new SignalWorld().fill({ v0: ['AWSPREVIOUS'] });
    world.policies = { health: { answer: 'act', mode: 'replace' } };
    await takeFromBus(samples.health(), { ...world.dependencies(), honeySecrets: {} });
    expect(world.told('Secret Revocation Requested')).toEqual([
      expect.objectContaining({ select: { secret: secretArn }, versions: ['v0'], mode: 'replace' }),
    ]);
  });

  test('lookups that others have used up are waited for, within bounds', async () => {
    const { world, take } = await taken('act');
    world.exhausted = 2;
    await take();
    expect(world.waited).toEqual([17_000, 17_000]);
    expect(world.requested).toHaveLength(1);
    world.exhausted = 4;
    await expect(take()).rejects.toMatchObject({ code: 'SignalNotTaken', retryable: true });
  });

  test('a request that the bus does not take is no success', async () => {
    const { world, take } = await taken('act');
    world.busFails = true;
    await expect(take()).rejects.toThrow('the bus is away');
    expect(world.recorded).toEqual([]);
  });

  test('a replay of the bus requests nothing', async () => {
    const world = await new SignalWorld().fill({ v0: ['AWSCURRENT'] });
    world.policies = { health: { answer: 'act', mode: 'kill' } };
    const replayed = { ...samples.health(), 'replay-name': 'again' };
    await takeFromBus(replayed, { ...world.dependencies(), honeySecrets: {} });
    expect([...world.requested, ...world.recorded]).toEqual([]);
  });

  test('an event that no rule sends is an error of the deployment', async () => {
    const world = new SignalWorld();
    const taking = takeFromBus({ source: 'aws.ec2' }, { ...world.dependencies(), honeySecrets: {} });
    await expect(taking).rejects.toMatchObject({ code: 'FunctionMisconfigured' });
  });
});
