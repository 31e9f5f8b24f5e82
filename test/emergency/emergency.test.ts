import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { type DeployedEnvironment, deployEnvironment } from '../../bench/scale/environment.ts';
import { busName } from '../../core/deployed/names.ts';
import { plannedRequestId } from '../../core/deployed/revocation-token.ts';
import type { RevocationMode } from '../../core/events/catalogue.ts';
import type { Selection } from '../../core/revocation/selection.ts';
import { findInstance } from '../../local/emulator/instance.ts';
import { Cleanup } from '../../local/process/cleanup.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { terminal } from '../../local/tour/terminal.ts';
import { type LogRecord, RecordedLog } from '../recorded-log.ts';

/**
 * Everything in an environment is revoked by one event, while functions are killed, targets go away, APIs turn calls away,
 * rotations are in flight, and requests come twice and overlap. Secrets are of seven kinds.
 */

const environment = 'bench';
const secrets = Number(process.env.REKEY_EMERGENCY_SECRETS ?? 300);
const limitMs = 30 * 60_000;
const incident = 'INC-300';

/** Calls of each action that are taken in a second. */
const calls = Object.fromEntries(
  [
    ...['DescribeSecret', 'GetSecretValue', 'ListSecretVersionIds', 'PutSecretValue', 'RotateSecret'].map(
      (action) => `secretsmanager:${action}`,
    ),
    ...['secretsmanager:UpdateSecretVersionStage', 'states:StartExecution', 'kms:Decrypt'],
  ].map((action) => [action, 40]),
);

interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly leaked: Record<string, unknown>;
  readonly accepts: (value: Record<string, unknown>) => Promise<boolean>;
}

const cleanup = new Cleanup();
const progress = terminal(process.stderr);
let deployed: DeployedEnvironment;
let all: readonly Secret[];
let log: RecordedLog;

const read = async (SecretId: string): Promise<Pick<Secret, 'arn'> & { value: Record<string, unknown> }> => {
  const { ARN = '', SecretString = '{}' } = await deployed.client.send(
    new GetSecretValueCommand({ SecretId }),
  );
  return { arn: ARN, value: JSON.parse(SecretString) };
};

beforeAll(async () => {
  deployed = await deployEnvironment(secrets, 7, progress, cleanup);
  const { cloud, credentials, targets, rotated } = deployed;
  const found: Secret[] = [];
  for (const { names, accepts } of targets) {
    for (const name of names.filter((one) => rotated.includes(one))) {
      const { arn, value } = await read(name);
      // A secret of the type generic has no target that could accept it.
      found.push({
        name,
        arn,
        leaked: value,
        accepts: accepts ?? (async (one) => one.value !== value.value),
      });
    }
  }
  all = found;
  log = await RecordedLog.of(cloud, environment, credentials);
}, 60 * 60_000);
afterAll(() => cleanup.run());

async function request(id: string, select: Selection, mode: RevocationMode): Promise<void> {
  const { cloud, credentials } = deployed;
  const detail = {
    metadata: {
      id,
      schemaVersion: 1,
      time: new Date().toISOString(),
      environment,
      actor: 'test',
      correlationId: id,
    },
    data: { select, mode, reason: 'an emergency that is tried', incident },
  };
  await new EventBridgeClient(cloud.clientOptions(credentials)).send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: busName(environment),
          Source: 'rekey.cli',
          DetailType: 'Secret Revocation Requested',
          Detail: JSON.stringify(detail),
        },
      ],
    }),
  );
}

/** Kills one process of a function. Step Functions and Secrets Manager see it end without an answer. */
async function killOneFunction(): Promise<boolean> {
  const instance = await findInstance(deployed.cloud.directory);
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(instance?.pid)]).catch(() => ({
    stdout: '',
  }));
  const workers = stdout.split('\n').filter((pid) => pid !== '');
  const chosen = workers[Math.floor(Math.random() * workers.length)];
  if (chosen === undefined) return false;
  try {
    process.kill(Number(chosen), 'SIGKILL');
    return true;
  } catch {
    // It has ended by itself.
    return false;
  }
}

/** Has things go wrong for as long as most of the work takes; says how many functions it killed. */
async function disturb(): Promise<number> {
  const interruptions = deployed.targets.flatMap(({ interrupt }) => interrupt ?? []);
  let killed = 0;
  for (let round = 0; round < 20; round += 1) {
    await sleep(1_500);
    if (await killOneFunction()) killed += 1;
    if (round % 5 === 2) await interruptions[Math.floor(round / 5) % interruptions.length]?.(3_000);
  }
  return killed;
}

const outcomes = /^Secret Revocation (?:Succeeded|Failed|Unproven)$/;

/** Waits until a request has its end, and gives the outcome of each secret by the id of its own request. */
async function concluded(id: string): Promise<ReadonlyMap<string, string>> {
  const isEnd = ({ detailType, event }: LogRecord) =>
    detailType === 'Revocation Concluded' && event.text('requestId') === id;
  const records = await eventually(
    `the end of ${id}`,
    async () => {
      await sleep(3_000);
      const { all: now } = await log.read();
      return now.some(isEnd) ? now : undefined;
    },
    limitMs,
  );
  const ends = records.filter(isEnd);
  expect(ends).toHaveLength(1);
  const mine = records.filter(
    ({ detailType, event }) => outcomes.test(detailType) && event.text('partOf') === id,
  );
  const byRequest = Map.groupBy(mine, ({ event }) => event.text('requestId'));
  // No outcome twice, and none that says otherwise than another.
  for (const [one, said] of byRequest)
    expect([one, said.map(({ detailType }) => detailType)]).toEqual([one, [expect.any(String)]]);
  const counted = (type: string) =>
    mine.filter(({ detailType }) => detailType === `Secret Revocation ${type}`).length;
  expect(ends[0]?.event.data).toMatchObject({
    succeeded: counted('Succeeded'),
    unproven: counted('Unproven'),
    failed: counted('Failed'),
  });
  return new Map(mine.map(({ detailType, event }) => [event.text('requestId') ?? '', detailType]));
}

describe('everything leaks, and much goes wrong', () => {
  test('each leaked credential is refused, each new one works, and each outcome is recorded once', async () => {
    const { cloud, client, targets } = deployed;
    await cloud.limit({ invocations: 24, calls });
    // Rotations in flight: a revocation comes after them.
    await Promise.all(
      all
        .filter((_, index) => index % 10 === 0)
        .map(({ name }) => client.send(new RotateSecretCommand({ SecretId: name }))),
    );
    const [whole, part] = [v7(), v7()];
    const first = targets[0]?.names ?? [];
    await Promise.all([
      request(whole, { environment }, 'kill'),
      request(whole, { environment }, 'kill'),
      request(part, { secrets: first.slice(0, 20).map((secret) => ({ secret })) }, 'replace'),
    ]);
    const disturbance = disturb();
    await request(whole, { environment }, 'kill');
    const killed = await disturbance;
    expect(killed).toBeGreaterThan(0);

    let open = all.filter(({ arn }) => arn !== '');
    let id = whole;
    const rounds: number[] = [];
    await concluded(part);
    for (let round = 0; round < 4 && open.length > 0; round += 1) {
      const said = await concluded(id);
      expect(said.size).toBeGreaterThanOrEqual(open.length);
      rounds.push(open.length);
      const failed = open.filter(
        ({ arn }) => said.get(plannedRequestId(id, arn)) === 'Secret Revocation Failed',
      );
      for (const secret of open.filter((one) => !failed.includes(one))) {
        expect([secret.name, await secret.accepts(secret.leaked)]).toEqual([secret.name, false]);
      }
      open = failed;
      if (open.length === 0) break;
      // As a responder would: once more, what failed.
      id = v7();
      await request(id, { secrets: open.map(({ name }) => ({ secret: name })) }, 'kill');
    }
    progress.note(`functions killed: ${killed}; secrets of each request: ${rounds.join(', ')}`);
    expect(open).toEqual([]);

    const stuck: string[] = [];
    for (const { name, leaked, accepts } of all) {
      expect([name, await accepts(leaked)]).toEqual([name, false]);
      if (!(await accepts((await read(name)).value))) {
        const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: name }));
        stuck.push(`${name}: ${JSON.stringify(VersionIdsToStages)}`);
      }
    }
    expect(stuck).toEqual([]);
  });
});
