/** One revocation over two accounts and two regions, with IAM enforced and real functions. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Duration } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { v7 } from 'uuid';
import { busName, coordinatorRole, coordinatorSource, memberRole } from '../../core/deployed/names.ts';
import { memberRequestId } from '../../core/deployed/revocation-token.ts';
import { bundle } from '../../lib/function/bundle.ts';
import {
  AuditLog,
  ContainmentFunction,
  RekeyBus,
  RevocationWorkflow,
  type RevocationWorkflowProps,
  RotatedSecret,
  RotationFunction,
} from '../../lib/index.ts';
import { type CloudCredentials, type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { assumeRole, createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { cloudIn } from './support/places.ts';
import { refusal } from './support/refusal.ts';
import { allow, deployStack } from './support/stack.ts';
import { synthesize } from './support/synthesized.ts';

/** The coordinating environment, one that it asks, and one that is not there. */
const here = { environment: 'security', account: '111111111111', region: 'eu-central-1' };
const there = { environment: 'prod', account: '222222222222', region: 'us-west-2' };
const lost = { environment: 'lost', account: '333333333333', region: 'eu-west-1' };

/** Names of deployed functions by a part of their descriptions. */
const entries: readonly (readonly [string, string])[] = [
  ['writes', 'audit-writer'],
  ['takes revocation', 'revocation-intake'],
  ['replaces a revoked', 'revocation-rotation'],
  ['reports how', 'revocation-report'],
  ['plans a revocation', 'revocation-plan'],
  ['concludes a revocation', 'revocation-conclusion'],
  ['shows what a revocation', 'revocation-preview'],
  ['has environments elsewhere', 'revocation-members'],
  ['rotates', 'generic-rotation'],
  ['cuts off', 'generic-containment'],
  ['', 'first-rotation'],
];

let directory: string;
let cloud: LocalCloud;
let own: LocalCloud;
let other: LocalCloud;
const archives = new Map<string, Buffer>();

/** Makes the archive of a function, once for both places. */
function archiveOf(entry: string): Buffer {
  const known = archives.get(entry);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(directory, 'bundle-'));
  bundle(folder, { entry });
  execFileSync('python3', ['-m', 'zipfile', '-c', `${folder}.zip`, '.'], { cwd: folder });
  const archive = readFileSync(`${folder}.zip`);
  archives.set(entry, archive);
  return archive;
}

async function deploy(
  place: LocalCloud,
  environment: string,
  more: Pick<RevocationWorkflowProps, 'members' | 'coordinator' | 'maximumRequestAge'>,
): Promise<void> {
  const s3 = new S3Client({ ...place.clientOptions(), forcePathStyle: true });
  const Bucket = `code-${place.accountId}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  const resources = synthesize(
    place,
    (stack) => {
      const bus = new RekeyBus(stack, 'Bus', { environment });
      const auditQueue = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(1) }).queue;
      const target = { type: 'generic', strategy: 'single-user', bus, auditQueue } as const;
      const secret = new RotatedSecret(stack, 'Token', {
        secret: {
          create: { name: `/${environment}/token`, fields: {}, encryptionKey: new Key(stack, 'Key') },
        },
        rotation: new RotationFunction(stack, 'Rotation', target),
        containment: new ContainmentFunction(stack, 'Containment', target),
        owner: 'team-orders',
      });
      new RevocationWorkflow(stack, 'Revocation', { bus, auditQueue, secrets: [secret], ...more });
    },
    (description) => description,
  );
  const coded: Record<string, object> = {};
  for (const [id, resource] of Object.entries(resources)) {
    // Nobody is told of alarms here.
    if (resource.Type === 'AWS::CloudWatch::Alarm') continue;
    const description = String(resource.Properties?.Description ?? '');
    const entry = entries.find(([part]) => description.includes(part))?.[1] ?? '';
    if (resource.Type !== 'AWS::Lambda::Function') {
      coded[id] = resource;
      continue;
    }
    const code = { Bucket, Key: `${entry}.zip` };
    await s3.send(new PutObjectCommand({ ...code, Body: archiveOf(entry) }));
    const Code = { S3Bucket: code.Bucket, S3Key: code.Key };
    coded[id] = { ...resource, Properties: { ...resource.Properties, Code } };
  }
  await deployStack(place, environment, coded);
}

beforeAll(async () => {
  directory = await newFolder('members');
  cloud = await startCloud({ directory });
  own = cloudIn(cloud, here.account, here.region);
  other = cloudIn(cloud, there.account, there.region);
  await deploy(other, there.environment, { coordinator: here, maximumRequestAge: Duration.hours(1) });
  await deploy(own, here.environment, { members: { west: there, lost } });
}, 300_000);

afterAll(async () => {
  await cloud?.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Recorded {
  readonly detailType: string;
  readonly detail: {
    readonly metadata: { readonly environment: string };
    readonly data: Readonly<Record<string, unknown>>;
  };
}

/** Reads the records of an environment's audit log that mention a text. */
async function records(place: LocalCloud, text: string): Promise<readonly Recorded[]> {
  const s3 = new S3Client({ ...place.clientOptions(), forcePathStyle: true });
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const found: Recorded[] = [];
  for (const { Name: Bucket } of Buckets) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'entries/' }));
    for (const { Key } of Contents) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const lines = ((await Body?.transformToString()) ?? '')
        .split('\n')
        .filter((line) => line.includes(text));
      found.push(...lines.map((line) => JSON.parse(line).event as Recorded));
    }
  }
  return found;
}

const recorded = async (place: LocalCloud, detailType: string, text: string): Promise<Recorded> =>
  await eventually(`${detailType} in ${place.region}`, async () =>
    (await records(place, text)).find((record) => record.detailType === detailType),
  );

const versionOf = async (place: LocalCloud, environment: string) =>
  (
    await new SecretsManagerClient(place.clientOptions()).send(
      new GetSecretValueCommand({ SecretId: `/${environment}/token` }),
    )
  ).VersionId;

async function request(data: Record<string, unknown>, time = new Date()): Promise<string> {
  const id = v7();
  const metadata = {
    id,
    schemaVersion: 1,
    time: time.toISOString(),
    environment: here.environment,
    actor: 'test',
    correlationId: id,
  };
  await new EventBridgeClient(own.clientOptions()).send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: busName(here.environment),
          Source: 'rekey.cli',
          DetailType: 'Secret Revocation Requested',
          Detail: JSON.stringify({ metadata, data: { mode: 'kill', reason: 'leaked', ...data } }),
        },
      ],
    }),
  );
  return id;
}

describe('one request over two accounts and two regions', () => {
  test('is one plan and one report, and each environment revokes its own secret', async () => {
    const before = await Promise.all([versionOf(own, here.environment), versionOf(other, there.environment)]);
    const id = await request({ select: { owner: 'team-orders' }, members: ['west'] });
    const concluded = await recorded(own, 'Revocation Concluded', id);
    const mine = await records(own, id);
    expect(mine.map(({ detail }) => detail.metadata.environment)).toEqual(mine.map(() => here.environment));
    expect(mine.find(({ detailType }) => detailType === 'Revocation Planned')?.detail.data).toMatchObject({
      secrets: 1,
      members: [{ member: 'west', ...there, secrets: 1 }],
    });
    const memberId = memberRequestId(id, 'west');
    const part = mine.find(({ detailType }) => detailType === 'Revocation Member Concluded');
    // Nothing can try a random value, so that people must act in both.
    expect(part?.detail.data).toMatchObject({
      member: 'west',
      ...there,
      memberRequestId: memberId,
      outcome: 'open',
      unproven: 1,
      secrets: [{ secretName: `/${there.environment}/token`, outcome: 'unproven' }],
    });
    expect(concluded.detail.data).toMatchObject({ outcome: 'open', unproven: 2, failed: 0, openTasks: 1 });
    const theirs = await records(other, memberId);
    expect(theirs.map(({ detailType }) => detailType)).toEqual(
      expect.arrayContaining(['Secret Revocation Requested', 'Revocation Planned', 'Revocation Concluded']),
    );
    const after = await Promise.all([versionOf(own, here.environment), versionOf(other, there.environment)]);
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
  }, 300_000);

  test('runs in the environments that are there, while another cannot be asked, which is a task at once', async () => {
    const id = await request({ select: { owner: 'team-orders' }, members: 'all' });
    const task = await recorded(own, 'Revocation Task Opened', id);
    expect(task.detail.data).toMatchObject({
      via: 'lost',
      task: expect.stringContaining('could not be asked'),
    });
    const planned = await recorded(own, 'Revocation Planned', id);
    expect(planned.detail.data).toMatchObject({
      members: [
        { member: 'lost', ...lost, secrets: 0, unreachable: 'AccessDenied' },
        { member: 'west', ...there, secrets: 1 },
      ],
    });
    await recorded(other, 'Revocation Concluded', memberRequestId(id, 'west'));
    await recorded(own, 'Secret Revocation Unproven', id);
  }, 300_000);
});

test('what a member refuses at its door is an outcome, and a task', async () => {
  const id = await request(
    { select: { owner: 'team-orders' }, members: ['west'] },
    new Date(Date.now() - 2 * 3_600_000),
  );
  const part = await recorded(own, 'Revocation Member Concluded', id);
  expect(part.detail.data).toMatchObject({ outcome: 'rejected', error: { code: 'RequestTooOld' } });
  const task = await recorded(own, 'Revocation Task Opened', id);
  expect(task.detail.data).toMatchObject({ via: 'west' });
}, 300_000);

describe('the role that a member has for its coordinator', () => {
  const roleArn = `arn:aws:iam::${there.account}:role/${memberRole(there.environment, there.region)}`;
  let coordinator: CloudCredentials;

  beforeAll(async () => {
    // As the coordinator's function: its role is tried through one of the same name, whose trust lets a user in.
    const { credentials } = await createUser(own, 'somebody', 'administrator');
    coordinator = credentials;
  });

  test('is taken by nobody but the coordinator, also in its own account', async () => {
    expect(coordinatorRole(here.environment, here.region)).toBe('rekey-security-coordinator-eu-central-1');
    expect(await refusal(assumeRole(own, coordinator, roleArn, 'other'))).toBe('AccessDenied');
    const { credentials } = await createUser(other, 'local', [allow('sts:AssumeRole')]);
    expect(await refusal(assumeRole(other, credentials, roleArn, 'other'))).toBe('AccessDenied');
  });

  test('sends requests of a coordinator, and neither other events nor reads of secrets', async () => {
    const { trust, credentials } = await asCoordinator();
    const events = new EventBridgeClient(other.clientOptions(credentials));
    const put = (Source: string, DetailType: string) =>
      events.send(
        new PutEventsCommand({
          Entries: [{ EventBusName: busName(there.environment), Source, DetailType, Detail: '{}' }],
        }),
      );
    expect(await refusal(put('rekey.cli', 'Secret Revocation Requested'))).toMatch(/AccessDenied/);
    expect(await refusal(put(coordinatorSource, 'Secret Revocation Succeeded'))).toMatch(/AccessDenied/);
    const read = new GetSecretValueCommand({ SecretId: `/${there.environment}/token` });
    expect(await refusal(new SecretsManagerClient(other.clientOptions(credentials)).send(read))).toMatch(
      /AccessDenied/,
    );
    await trust();
  });

  /** Takes the role as the coordinator's own role, which a user may take for a moment. */
  async function asCoordinator() {
    const { GetRoleCommand, IAMClient, UpdateAssumeRolePolicyCommand } = await import('@aws-sdk/client-iam');
    const iam = new IAMClient(own.clientOptions());
    const RoleName = coordinatorRole(here.environment, here.region);
    const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
    const before = decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '');
    const document = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: here.account }, Action: 'sts:AssumeRole' }],
    };
    const trust = async (PolicyDocument: string) =>
      void (await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument })));
    await trust(JSON.stringify(document));
    const session = await assumeRole(own, coordinator, Role?.Arn ?? '', 'tried');
    const credentials = await assumeRole(own, session, roleArn, 'tried');
    return { credentials, trust: async () => await trust(before) };
  }
});
