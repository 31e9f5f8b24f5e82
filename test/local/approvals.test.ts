/** Approvals from the command line to the end of a revocation, with IAM enforced and real functions. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { GetFunctionUrlConfigCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Duration } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { signIdentity } from '../../adapters/operator/identity-proof.ts';
import { bindingOf } from '../../core/approval/proof.ts';
import { bundle, functionNames } from '../../lib/function/bundle.ts';
import {
  Approvals,
  ApproverRole,
  AuditLog,
  AuditorRole,
  ContainmentFunction,
  RekeyBus,
  ResponderRole,
  RevocationWorkflow,
  RotatedSecret,
  RotationFunction,
} from '../../lib/index.ts';
import { type CloudCredentials, type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { assumeRole, createUser, credentialVariables } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { checkout, run } from '../../local/process/run.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { sentMails } from './support/mails.ts';
import { refusal } from './support/refusal.ts';
import { allow, deployStack } from './support/stack.ts';
import { synthesize } from './support/synthesized.ts';

const environment = 'test';
const secretName = `/${environment}/token`;
let directory: string;
let cloud: LocalCloud;
let answers = '';
let page = '';
const users: Record<string, CloudCredentials> = {};
const people: Record<string, CloudCredentials> = {};
/** Begins a session as a user does, under the user's own name or another one. */
let begin: (role: string, user: string, session?: string) => Promise<CloudCredentials>;

/** Names of deployed functions by the beginning of their descriptions. */
const entries: readonly (readonly [string, string])[] = [
  ['writes', 'audit-writer'],
  ['takes revocation', 'revocation-intake'],
  ['replaces a revoked', 'revocation-rotation'],
  ['reports how', 'revocation-report'],
  ['rotates', 'generic-rotation'],
  ['cuts off', 'generic-containment'],
  ['shows requests', 'approval-desk'],
  ['takes answers', 'approval-answer'],
  ['serves the links', 'approval-page'],
  ['waits for', 'approval-wait'],
  ['', 'first-rotation'],
];

/** Puts the code of a function where CloudFormation finds it. */
async function upload(s3: S3Client, entry: string): Promise<{ S3Bucket: string; S3Key: string }> {
  if (!functionNames.includes(entry)) throw new Error(`no function ${entry}`);
  const folder = mkdtempSync(join(directory, 'bundle-'));
  bundle(folder, { entry });
  const archive = `${folder}.zip`;
  execFileSync('python3', ['-m', 'zipfile', '-c', archive, '.'], { cwd: folder });
  const Key = `${entry}.zip`;
  await s3.send(new PutObjectCommand({ Bucket: 'code', Key, Body: readFileSync(archive) }));
  return { S3Bucket: 'code', S3Key: Key };
}

beforeAll(async () => {
  directory = await newFolder('approvals');
  cloud = await startCloud({ directory });
  const s3 = new S3Client({ ...cloud.clientOptions(), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'code' }));
  const ses = new SESv2Client(cloud.clientOptions());
  await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: 'example.com' }));
  const resources = synthesize(
    cloud,
    (stack) => {
      const bus = new RekeyBus(stack, 'Bus', { environment });
      const log = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(1) });
      const auditQueue = log.queue;
      const target = { type: 'generic', strategy: 'single-user', bus, auditQueue } as const;
      const secret = new RotatedSecret(stack, 'Token', {
        secret: { create: { name: secretName, fields: {}, encryptionKey: new Key(stack, 'Key') } },
        rotation: new RotationFunction(stack, 'Rotation', target),
        containment: new ContainmentFunction(stack, 'Containment', target),
        owner: 'team-orders',
      });
      const approvals = new Approvals(stack, 'Approvals', {
        bus,
        auditQueue,
        revocation: ['replace'],
        limit: Duration.minutes(5),
        approvers: ['alice', 'bob', 'dora'],
        links: {
          from: 'rekey@mail.example.com',
          addresses: {
            alice: 'alice@example.com',
            bob: 'alice+bob@example.com',
            dora: 'dora@example.com',
          },
        },
      });
      const workflow = new RevocationWorkflow(stack, 'Revocation', {
        bus,
        auditQueue,
        secrets: [secret],
        approvals,
      });
      const principals = [cloud.accountId] as const;
      const common = { environment, principals };
      const sessionName = 'aws:username' as const;
      const responder = new ResponderRole(stack, 'Responder', {
        ...common,
        sessionName,
        bus,
        workflow: workflow.stateMachine,
        intakeLogs: workflow.intake.logGroup,
      });
      new AuditorRole(stack, 'Auditor', { ...common, bucket: log.bucket, key: log.key });
      new ApproverRole(stack, 'Approver', { ...common, sessionName, approvals });
      approvals.grantRequest(responder.role as IRole, responder.grantee);
      // One who may do both: what keeps them apart is who they are.
      approvals.grantAnswer(responder.role as IRole, responder.grantee);
    },
    (description) => description,
  );
  const coded: Record<string, object> = {};
  for (const [id, resource] of Object.entries(resources)) {
    // Nobody is told of alarms here.
    if (resource.Type === 'AWS::CloudWatch::Alarm') continue;
    const description = String(resource.Properties?.Description ?? '');
    const entry =
      resource.Type === 'AWS::Lambda::Function'
        ? entries.find(([part]) => description.includes(part))?.[1]
        : undefined;
    coded[id] =
      entry === undefined
        ? resource
        : { ...resource, Properties: { ...resource.Properties, Code: await upload(s3, entry) } };
  }
  const { outputs } = await deployStack(cloud, 'approvals', coded);
  const out = (id: string) =>
    Object.entries(outputs).find(([key]) => new RegExp(`^${id}[0-9A-F]{8}Arn$`).test(key))?.[1] ?? '';
  answers = out('ApprovalsAnswers');
  page = out('ApprovalsPage');
  const { credentials } = await createUser(cloud, 'administrator', 'administrator');
  for (const name of ['alice', 'bob', 'carol']) {
    users[name] = (await createUser(cloud, name, [allow('sts:AssumeRole')])).credentials;
  }
  begin = (role, user, session = user) =>
    assumeRole(cloud, users[user] as CloudCredentials, out(`${role}Role`), session);
  people.alice = await begin('Responder', 'alice');
  people.aliceApproving = await begin('Approver', 'alice');
  people.bob = await begin('Approver', 'bob');
  people.auditor = await begin('Auditor', 'carol');
  people.administrator = credentials;
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

const revoke = (mode: string, ...more: string[]) =>
  rekey('alice', 'revoke', secretName, '--mode', mode, '--reason', 'laptop lost', '--yes', '--json', ...more);

const succeeded = ({ exitCode, stdout, stderr }: { exitCode: number; stdout: string; stderr: string }) =>
  expect(exitCode === 0 ? '' : stdout + stderr).toBe('');

/** Waits until a request, or the one that was given, is shown as waiting. */
const waits = (id?: string) =>
  eventually('the request is shown', async () => {
    const { stdout, stderr, exitCode } = await rekey('bob', 'approval', 'list', '--json');
    succeeded({ exitCode, stdout, stderr });
    const ids: string[] = JSON.parse(stdout).requests.map((request: { id: string }) => request.id);
    return id === undefined ? ids[0] : ids.includes(id) && id;
  });

/** Asks the page as a browser that nobody is signed in to. */
async function browse(method: string, path: string, sent: { form?: string; cookie?: string } = {}) {
  const host = new URL(await pageUrl()).host;
  const ca = readFileSync(cloud.certificateAuthorityFile);
  return await new Promise<{ status: number; body: string; cookie: string }>((resolve, reject) => {
    const headers = {
      host,
      ...(sent.form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(sent.cookie !== undefined && { cookie: sent.cookie }),
    };
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: cloud.port,
        ca,
        servername: 'localhost',
        method,
        path,
        headers,
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body,
            cookie: response.headers['set-cookie']?.[0] ?? '',
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(sent.form);
  });
}

const pageUrl = async (): Promise<string> => {
  const lambda = new LambdaClient(cloud.clientOptions());
  return (await lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: page }))).FunctionUrl ?? '';
};

const recorded = (id: string) =>
  eventually(`records of ${id}`, async () => {
    const { stdout } = await rekey('auditor', 'audit', 'tail', '--since', '1d', '--json');
    const mine = stdout.split('\n').filter((line) => line.includes(id));
    const types = mine.map((line) => String(JSON.parse(line).event.detailType));
    return types.some((type) => /Revocation (Unproven|Failed|Rejected)/.test(type))
      ? { types, mine }
      : undefined;
  });

describe('a revocation that needs a second person', () => {
  test('waits, is not for its author to answer, and goes on when somebody else approves', async () => {
    const asked = await revoke('replace');
    succeeded(asked);
    const { requestId } = JSON.parse(asked.stdout);
    await waits(requestId);
    const approve = (person: string) => rekey(person, 'approval', 'approve', requestId, '--yes', '--json');
    for (const author of ['alice', 'aliceApproving']) {
      const refused = await approve(author);
      expect(refused.exitCode).toBe(3);
      expect(refused.stdout + refused.stderr).toContain('ApproverIsAuthor');
    }
    expect((await rekey('auditor', 'approval', 'list')).stderr).toMatch(/not authorized|denied/);
    succeeded(await approve('bob'));
    // Once more is the same as once.
    succeeded(await approve('bob'));
    const { types, mine } = await recorded(requestId);
    expect(types.filter((type) => type.startsWith('Approval '))).toEqual([
      'Approval Requested',
      'Approval Granted',
    ]);
    expect(types).toContain('Secret Revocation Unproven');
    expect(mine.join('')).not.toMatch(/taskToken|X-Amz|AWS4-HMAC/i);
    expect(mine.find((line) => line.includes('Approval Granted'))).toContain('/bob');
  });

  test('has no second person in its author, who takes a role under their own name alone', async () => {
    expect(await refusal(begin('Approver', 'alice', 'bob'))).toBe('AccessDenied');
    expect(await refusal(begin('Responder', 'alice', 'Alice'))).toBe('AccessDenied');
  });

  test('ends with the refusal, and its author sees why', async () => {
    const following = revoke('replace', '--wait');
    const id = await waits();
    const no = await rekey('bob', 'approval', 'refuse', id, '--yes', '--reason', 'not before noon');
    succeeded(no);
    const followed = await following;
    expect(followed.exitCode).toBe(1);
    expect(JSON.parse(followed.stdout)).toMatchObject({
      outcome: 'failed',
      error: { code: 'ApprovalRefused', message: expect.stringContaining('not before noon') },
    });
    expect((await recorded(id)).types).toContain('Approval Refused');
  });

  test('goes on at once with the glass broken, loudly; a kill waits for nobody', async () => {
    const broken = await revoke('replace', '--break-glass');
    const { types } = await recorded(JSON.parse(broken.stdout).requestId);
    expect(types).toContain('Approval Bypassed');
    expect(types).not.toContain('Approval Requested');
    const kill = await revoke('kill');
    expect((await recorded(JSON.parse(kill.stdout).requestId)).types).not.toContain('Approval Bypassed');
  });

  test('is answered by a link in a browser, once, and not by looking at it', async () => {
    const { requestId } = JSON.parse((await revoke('replace')).stdout);
    await waits(requestId);
    // The author has no link, neither under her name nor at her address.
    const mails = await eventually('the mail is there', async () => {
      const sent = (await sentMails(cloud)).filter(({ BodyText }) => BodyText.includes(requestId));
      return sent.length > 0 ? sent : undefined;
    });
    expect(mails.map(({ To }) => To)).toEqual([['dora@example.com']]);
    const [mail] = mails;
    expect(mail?.Source).toBe('rekey@mail.example.com');
    expect(mail?.BodyText).toContain('laptop lost');
    const token = /\?t=(\S+)/.exec(mail?.BodyText ?? '')?.[1] ?? '';
    expect(mail?.BodyText).toContain(`${await pageUrl()}?t=${token}`);
    const looked = await browse('GET', `/?t=${token}`);
    expect(looked.status).toBe(200);
    expect(looked.body).toContain('laptop lost');
    expect((await browse('GET', `/?t=${token.slice(0, -2)}AA`)).status).toBe(403);
    const cookie = looked.cookie.split(';')[0] ?? '';
    const nonce = cookie.split('=')[1] ?? '';
    const form = new URLSearchParams({ token, nonce, outcome: 'granted', reason: '' }).toString();
    expect((await browse('POST', '/', { form })).status).toBe(403);
    expect((await browse('POST', '/', { form, cookie })).body).toContain('Approved');
    expect((await browse('POST', '/', { form, cookie })).status).toBe(409);
    const { mine } = await recorded(requestId);
    const granted = mine.filter((line) => line.includes('Approval Granted'));
    expect(granted).toHaveLength(1);
    expect(granted[0]).toMatch(/"way":\s*"link"/);
    expect(mine.join('')).not.toContain(token);
  });

  test('cannot be answered with a signature for something else, or of somebody whom no role lets', async () => {
    const requestId = '0195a000-0000-7000-8000-000000000009';
    const lambda = new LambdaClient(cloud.clientOptions(people.administrator as CloudCredentials));
    const place = { environment, account: cloud.accountId };
    const before = { ...process.env };
    Object.assign(process.env, cloud.environment);
    const answer = async (signer: string, deed: Parameters<typeof bindingOf>[1]) => {
      const credentials = people[signer] as CloudCredentials;
      const proof = await signIdentity(credentials, cloud.region, bindingOf(place, deed));
      const { Payload } = await lambda.send(
        new InvokeCommand({
          FunctionName: answers,
          Payload: JSON.stringify({ requestId, outcome: 'granted', proof }),
        }),
      );
      return JSON.parse(Payload?.transformToString() ?? '').refused?.code;
    };
    const deed = { act: 'answer', requestId, outcome: 'granted', reason: undefined } as const;
    // STS knows bob, and a role lets him: only the request is not there.
    expect(await answer('bob', deed)).toBe('ApprovalUnknown');
    expect(await answer('bob', { ...deed, outcome: 'refused' })).toBe('IdentityUnproven');
    expect(await answer('bob', { ...deed, reason: 'another' })).toBe('IdentityUnproven');
    expect(await answer('bob', { act: 'ask', requestId, digest: 'a'.repeat(64) })).toBe('IdentityUnproven');
    expect(await answer('administrator', deed)).toBe('PersonNotPermitted');
    expect(await answer('auditor', deed)).toBe('PersonNotPermitted');
    process.env = before;
  });
});
