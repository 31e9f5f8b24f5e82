/** Quarantines from the command line to a session that is refused, with IAM enforced and the real function. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  TagRoleCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Duration } from 'aws-cdk-lib';
import { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { quarantinePolicyName } from '../../core/quarantine/document.ts';
import { bundle } from '../../lib/function/bundle.ts';
import { AuditLog, AuditorRole, Quarantine, RekeyBus, ResponderRole } from '../../lib/index.ts';
import { type CloudCredentials, type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { assumeRole, createUser, credentialVariables } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { checkout, run } from '../../local/process/run.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { refusal } from './support/refusal.ts';
import { allow, deployStack } from './support/stack.ts';
import { synthesize } from './support/synthesized.ts';

const environment = 'test';
let directory: string;
let cloud: LocalCloud;
let iam: IAMClient;
let caller: CloudCredentials;
let worker = '';
let ci: Awaited<ReturnType<typeof createUser>>;
const people: Record<string, CloudCredentials> = {};

/** Puts the code of a function where CloudFormation finds it. */
async function upload(s3: S3Client, entry: string): Promise<{ S3Bucket: string; S3Key: string }> {
  const folder = mkdtempSync(join(directory, 'bundle-'));
  bundle(folder, { entry });
  const archive = `${folder}.zip`;
  execFileSync('python3', ['-m', 'zipfile', '-c', archive, '.'], { cwd: folder });
  const Key = `${entry}.zip`;
  await s3.send(new PutObjectCommand({ Bucket: 'code', Key, Body: readFileSync(archive) }));
  return { S3Bucket: 'code', S3Key: Key };
}

/** Makes a role that may list queues, which anybody of the account may assume. */
async function makeRole(RoleName: string): Promise<string> {
  const trust = { Effect: 'Allow', Principal: { AWS: cloud.accountId }, Action: 'sts:AssumeRole' };
  const document = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: statement });
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(trust) }),
  );
  await iam.send(
    new PutRolePolicyCommand({
      RoleName,
      PolicyName: 'work',
      PolicyDocument: document(allow('sqs:ListQueues')),
    }),
  );
  return Role?.Arn ?? '';
}

beforeAll(async () => {
  directory = await newFolder('quarantine');
  cloud = await startCloud({ directory });
  iam = new IAMClient(cloud.clientOptions());
  const s3 = new S3Client({ ...cloud.clientOptions(), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'code' }));
  const pattern = (resource: string) => `arn:aws:iam::${cloud.accountId}:${resource}`;
  const resources = synthesize(
    cloud,
    (stack) => {
      const bus = new RekeyBus(stack, 'Bus', { environment });
      const log = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(1) });
      const quarantine = new Quarantine(stack, 'Quarantine', {
        bus,
        auditQueue: log.queue,
        principals: [pattern('role/app-*'), pattern('user/app-*')],
      });
      const common = { environment, principals: [cloud.accountId] as const };
      const arn = `arn:aws:states:${cloud.region}:${cloud.accountId}:stateMachine:none`;
      const workflow = StateMachine.fromStateMachineArn(stack, 'None', arn);
      new ResponderRole(stack, 'Responder', { ...common, bus, workflow, quarantine });
      new AuditorRole(stack, 'Auditor', { ...common, bucket: log.bucket, key: log.key });
    },
    (description) => description,
  );
  const coded: Record<string, object> = {};
  for (const [id, resource] of Object.entries(resources)) {
    // Nobody is told of alarms here.
    if (resource.Type === 'AWS::CloudWatch::Alarm') continue;
    const entry = String(resource.Properties?.Description).includes('writes') ? 'audit-writer' : 'quarantine';
    coded[id] =
      resource.Type === 'AWS::Lambda::Function'
        ? { ...resource, Properties: { ...resource.Properties, Code: await upload(s3, entry) } }
        : resource;
  }
  const { outputs } = await deployStack(cloud, 'quarantine', coded);
  const out = (id: string) =>
    Object.entries(outputs).find(([key]) => new RegExp(`^${id}[0-9A-F]{8}Arn$`).test(key))?.[1] ?? '';
  caller = (await createUser(cloud, 'alice', [allow('sts:AssumeRole')])).credentials;
  people.responder = await assumeRole(cloud, caller, out('ResponderRole'), 'alice');
  people.auditor = await assumeRole(cloud, caller, out('AuditorRole'), 'alice');
  worker = await makeRole('app-worker');
  ci = await createUser(cloud, 'app-ci', [allow('sqs:ListQueues')]);
}, 300_000);

afterAll(async () => {
  await cloud?.stop();
  await rm(directory, { recursive: true, force: true });
});

const rekey = async (person: string, ...argv: string[]) =>
  await run(
    'node',
    [join(checkout, 'bin', 'rekey.ts'), ...argv],
    {
      ...cloud.environment,
      ...credentialVariables(people[person] as CloudCredentials),
      NO_COLOR: '1',
      REKEY_ENVIRONMENT: environment,
    },
    120_000,
  );
const quarantine = async (...argv: string[]) => {
  const ran = await rekey(
    'responder',
    'quarantine',
    ...argv,
    '--reason',
    'host was entered',
    '--incident',
    'INC-7',
    '--wait',
    '--yes',
    '--json',
  );
  return { ...ran, document: JSON.parse(ran.stdout || '{}') };
};
const work = (credentials: CloudCredentials) =>
  new SQSClient(cloud.clientOptions(credentials)).send(new ListQueuesCommand({}));

const newSession = () => assumeRole(cloud, caller, worker, 'new');

describe('a quarantine', () => {
  test('refuses a live session, lets new ones in, and is lifted', async () => {
    const stolen = await assumeRole(cloud, caller, worker, 'stolen');
    await work(stolen);
    const placed = await quarantine('principal', worker);
    expect({ ...placed.document, stderr: placed.stderr }).toMatchObject({ outcome: 'placed', error: null });
    expect(await refusal(work(stolen))).toMatch(/AccessDenied/);
    // IAM compares times of sessions to the second, so one of the same second is refused, too.
    await eventually('a new session to work', async () =>
      work(await newSession()).then(
        () => true,
        () => false,
      ),
    );
    const { requestId } = placed.document;
    const other = await quarantine('lift', worker, '--request', '0195a000-0000-7000-8000-000000000001');
    expect(other).toMatchObject({ exitCode: 1, document: { error: { code: 'QuarantineUnknown' } } });
    expect(await refusal(work(stolen))).toMatch(/AccessDenied/);
    const lifted = await quarantine('lift', worker, '--request', requestId);
    expect(lifted).toMatchObject({ exitCode: 0, document: { outcome: 'lifted' } });
    await work(stolen);
    const policy = new GetRolePolicyCommand({
      RoleName: 'app-worker',
      PolicyName: quarantinePolicyName(environment, cloud.region),
    });
    expect(await refusal(iam.send(policy))).toMatch(/NoSuchEntity/);
  });

  test('of all refuses new sessions, too, until it is lifted', async () => {
    const { document } = await quarantine('principal', worker, '--all');
    expect(document).toMatchObject({ outcome: 'placed' });
    expect(await refusal(work(await newSession()))).toMatch(/AccessDenied/);
    await quarantine('lift', worker, '--request', document.requestId);
    await work(await newSession());
  });

  test('of a user refuses its access key', async () => {
    await work(ci.credentials);
    expect(await quarantine('principal', ci.arn)).toMatchObject({ exitCode: 2 });
    const { document } = await quarantine('principal', ci.arn, '--all');
    expect(await refusal(work(ci.credentials))).toMatch(/AccessDenied/);
    await quarantine('lift', ci.arn, '--request', document.requestId);
    await work(ci.credentials);
  });

  test('of a role that is not named, or is Rekey’s, is refused', async () => {
    const deploy = await makeRole('deploy');
    expect(await quarantine('principal', deploy)).toMatchObject({ exitCode: 2 });
    const own = await makeRole('app-rekey');
    const tag = { Key: 'rekey:environment', Value: environment };
    await iam.send(new TagRoleCommand({ RoleName: 'app-rekey', Tags: [tag] }));
    expect(await quarantine('principal', own)).toMatchObject({
      exitCode: 1,
      document: { error: { code: 'PrincipalProtected' } },
    });
  });

  test('is recorded as part of its incident', async () => {
    const shown = await eventually('the incident', async () => {
      const { stdout } = await rekey('auditor', 'incident', 'show', 'INC-7', '--json');
      const document = JSON.parse(stdout || '{}');
      return document.quarantines?.length === 4 ? document : undefined;
    });
    expect(shown.state).toBe('closed');
    expect(shown.quarantines.map(({ state }: { state: string }) => state).toSorted()).toEqual([
      'lifted',
      'lifted',
      'lifted',
      'refused',
    ]);
  });
});
