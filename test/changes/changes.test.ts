import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { Cleanup } from '../../local/process/cleanup.ts';
import { startConsumer } from './consumer.ts';
import { baseline, hasBaseline, unpackBaseline } from './released.ts';
import { type EnvironmentInput, type Place, start } from './settings.ts';
import type { Transition } from './transition.ts';
import { batchesOf, others, worst } from './transitions.ts';
import { openWorld, type Standing, type World } from './world.ts';

jest.setTimeout(1_200_000);

/**
 * REKEY_CHANGES: how many of the further transitions are tried, or `all`. REKEY_SEED: repeats a run. REKEY_BATCH: how many
 * independent transitions are deployed together at the most; 1 finds the one that is at fault.
 */
const seed = Number(process.env.REKEY_SEED ?? Math.floor(Math.random() * 1_000_000));
const share = process.env.REKEY_CHANGES === 'all' ? others.length : Number(process.env.REKEY_CHANGES ?? 3);
const [chosen = []] = fc.sample(fc.shuffledSubarray([...others], { minLength: share, maxLength: share }), {
  seed,
  numRuns: 1,
});
const batches = batchesOf([...worst, ...chosen], Number(process.env.REKEY_BATCH ?? 5));
const upgrades = hasBaseline();
/** Whether this checkout's templates are deployed. */
let upgraded = !upgrades;

const cleanup = new Cleanup();
let world: World;
let environment: EnvironmentInput;
let place: Place;

/** Names in Secrets Manager by key in the configuration. */
const namesIn = ({ secrets = {} }: EnvironmentInput): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(secrets).map(([key, { create, adopt }]) => [
      key,
      create === undefined ? (adopt ?? '') : `/dev/${create.name}`,
    ]),
  );

const isLogin = (value: string): boolean => 'username' in JSON.parse(value);

/** What must hold of a secret that is in the configuration, whatever was deployed. */
async function expectHealthy(name: string, { secrets = {}, rotation }: EnvironmentInput): Promise<Standing> {
  const standing = await world.standing(name);
  const { description, value } = standing;
  const secret = Object.values(secrets).find(
    ({ create, adopt }) => name === (create === undefined ? adopt : `/dev/${create.name}`),
  );
  expect({ name, enabled: description.RotationEnabled }).toEqual({ name, enabled: true });
  expect({ name, function: await world.hasFunction(description.RotationLambdaARN ?? '') }).toEqual({
    name,
    function: true,
  });
  expect({ name, schedule: description.RotationRules?.ScheduleExpression }).toEqual({
    name,
    schedule: secret?.schedule ?? rotation?.schedule ?? 'rate(30 days)',
  });
  if (isLogin(value)) {
    expect({ name, accepted: await world.accepts(value) }).toEqual({ name, accepted: true });
  }
  return standing;
}

beforeAll(async () => {
  console.log(`changes of the configuration: seed ${seed}, REKEY_SEED=${seed} repeats this run`);
  world = await openWorld(cleanup);
  environment = start(world.place);
  const old = join(world.directory, 'baseline');
  if (upgrades) await unpackBaseline(old);
  else
    console.warn(
      `THE UPGRADE IS NOT TESTED: the baseline ${baseline} (test/changes/baseline) is not in this clone, and cannot be had from ` +
        'its origin. Fetch it: git fetch --depth 1 <url> <commit>',
    );
  const { succeeded, output } = await world.deploy(environment, upgrades ? old : undefined);
  if (!succeeded) throw new Error(`the first deploy failed:\n${output}`);
  for (const name of namesIn(environment).values()) {
    await world.settled(name);
    await world.rotate(name);
  }
  const { description } = await world.standing('/dev/billing');
  place = {
    ...world.place,
    ...(description.KmsKeyId !== undefined && { secretsKey: description.KmsKeyId }),
  };
}, 1_200_000);
afterAll(() => cleanup.run(), 120_000);

(upgrades ? test : test.skip)(
  'an upgrade from the baseline touches no live value, cancels no schedule, and consumers notice nothing',
  () => tryChange([], environment),
);

describe('a change of the configuration touches no live value, can be deployed, and shows at the next rotation', () => {
  test.each(batches.map((batch) => [batch.map(({ name }) => name).join('; '), batch] as const))(
    '%s',
    async (_, batch) => {
      let next = environment;
      for (const { name, apply } of batch) {
        const changed = apply(next, place);
        if (changed === undefined) throw new Error(`cannot be made from this configuration: ${name}`);
        next = changed;
      }
      await tryChange(batch, next);
      environment = next;
    },
  );
});

test('a deploy that stops after it has replaced the functions of a secret does not keep it from being revoked', async () => {
  if (!upgraded) await tryChange([], environment);
  const [[key, secret] = []] = Object.entries(environment.secrets ?? {}).filter(
    ([, { certificateAuthority }]) => certificateAuthority !== undefined,
  );
  if (key === undefined) throw new Error('no secret of a database');
  // Functions that serve no other secret, and so were in no role before.
  const certificateAuthority = join(world.directory, 'authority-of-its-own.pem');
  await copyFile(place.authority, certificateAuthority);
  const secrets = { ...environment.secrets, [key]: { ...secret, certificateAuthority } };
  const next = { ...environment, secrets } as EnvironmentInput;
  const name = namesIn(next).get(key) ?? '';
  const { value: leaked } = await world.standing(name);
  const half = await world.deployStacks(next, 'dev/Rotation');
  if (!half.succeeded) throw new Error(`the first half of the deploy failed:\n${half.output}`);
  const reason = ['--reason', 'found in a public repository'];
  const revoked = await world.rekey(
    'revoke',
    name,
    ...['--environment', 'dev', '--mode', 'kill', '--yes', '--wait', '--json'],
    ...reason,
  );
  if (revoked.exitCode !== 0) throw new Error(`not revoked:\n${revoked.stdout}\n${revoked.stderr}`);
  expect(await world.accepts(leaked)).toBe(false);
  await expectHealthy(name, next);
  expect(await world.deploy(next)).toMatchObject({ succeeded: true });
  environment = next;
});

test('functions leave a network that another one takes the place of, or that goes, before any part of it does', async () => {
  if (!upgraded) await tryChange([], environment);
  const { networks, secrets } = environment;
  const billing = secrets?.billing;
  if (billing === undefined) throw new Error('no secret to put into a network');
  const inNetwork = (cidr: string, availabilityZones: number): EnvironmentInput => ({
    ...environment,
    networks: {
      ...networks,
      made: {
        create: {
          cidr,
          availabilityZones,
          ports: [],
          connect: [{ to: '10.64.0.0/16', transitGatewayId: 'tgw-0a1b2c3d' }],
          egress: [{ to: '10.64.0.0/16', port: 5432 }],
        },
      },
    },
    secrets: { ...secrets, billing: { ...billing, network: 'made' } },
  });
  for (const next of [inNetwork('10.20.0.0/20', 2), inNetwork('10.24.0.0/20', 3), { ...environment }]) {
    await tryChange([], next);
    environment = next;
  }
  const made = await world.stacks('rekey-dev-network-made-');
  expect(made).toHaveLength(2);
  for (const stack of made) expect(await world.deleteStack(stack)).toBe('DELETE_COMPLETE');
});

/** Deploys a configuration after the one that is deployed, and sees that nothing but what the batch says has happened. */
async function tryChange(batch: readonly Transition[], next: EnvironmentInput): Promise<void> {
  upgraded = true;
  const before = new Map<string, Standing>();
  for (const name of namesIn(environment).values()) {
    before.set(name, await world.standing(name));
  }
  const names = namesIn(next);
  const kept = [...names.values()].filter((name) => before.has(name));
  const consumer = startConsumer(
    world,
    kept.filter((name) => isLogin(before.get(name)?.value ?? '{}')),
  );
  const { succeeded, output } = await world.deploy(next);
  const { failures, logins } = await consumer.stop();
  expect({ output: succeeded ? '' : output, succeeded }).toEqual({ output: '', succeeded: true });
  expect(failures).toEqual([]);
  expect(await world.leftBehind()).toEqual([]);
  expect(logins).toBeGreaterThan(0);

  for (const name of kept) {
    const { versionId, value } = await expectHealthy(name, next);
    const was = before.get(name);
    expect({ name, versionId, same: value === was?.value }).toEqual({
      name,
      versionId: was?.versionId,
      same: true,
    });
  }
  for (const [name, { value }] of before) {
    if (kept.includes(name)) continue;
    // Taken out: the value stays as it was, and nothing rotates it any more.
    const { description, value: left } = await world.standing(name);
    expect({ name, same: left === value, rotates: description.RotationEnabled ?? false }).toEqual({
      name,
      same: true,
      rotates: false,
    });
  }
  for (const [key, name] of names) {
    await world.settled(name);
    await world.rotate(name);
    const { value } = await expectHealthy(name, next);
    const json = JSON.parse(value);
    for (const { name: transition, shows } of batch) {
      if (shows !== undefined) {
        expect({ transition, key, shows: shows(key, json) }).toEqual({ transition, key, shows: true });
      }
    }
  }
}
