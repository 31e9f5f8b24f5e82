/** A preflight from the command line, with IAM enforced and a real PostgreSQL; what it says is held to what the cloud does. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreatePolicyCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateGrantCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { emptyHead, encodeObject } from '../../core/audit/format.ts';
import { definitionParameter } from '../../core/deployed/names.ts';
import { type CloudCredentials, type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { assumeRole, createUser, credentialVariables } from '../../local/emulator/principals.ts';
import { newFolder, newServerFolder } from '../../local/process/folders.ts';
import { checkout, run } from '../../local/process/run.ts';
import { type PostgresServer, startPostgres } from '../../local/servers/postgres.ts';
import { allow } from './support/stack.ts';

const environment = 'prod';
let directory: string;
let servers: string;
let cloud: LocalCloud;
let postgres: PostgresServer;
let iam: IAMClient;
let secrets: SecretsManagerClient;
let caller: CloudCredentials;
let checker: CloudCredentials;
let unprivileged: CloudCredentials;
const arns: Record<string, string> = {};
const roles: Record<string, string> = {};
const sentinel = 'sentinel-of-preflight';

const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });

async function makeRole(RoleName: string, ...statements: object[]): Promise<string> {
  const trust = { Effect: 'Allow', Principal: { AWS: cloud.accountId }, Action: 'sts:AssumeRole' };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(trust) }),
  );
  if (statements.length > 0) {
    await iam.send(
      new PutRolePolicyCommand({ RoleName, PolicyName: 'own', PolicyDocument: document(...statements) }),
    );
  }
  roles[RoleName] = Role?.Arn ?? '';
  return Role?.Arn ?? '';
}

async function makeSecret(Name: string, value: object, more: object = {}): Promise<string> {
  const { ARN = '' } = await secrets.send(
    new CreateSecretCommand({ Name, SecretString: JSON.stringify(value), ...more }),
  );
  arns[Name] = ARN;
  return ARN;
}

/** Runs a preflight of references, as the role that has the permissions of the page, or as another. */
async function preflight(references: readonly object[], argv: readonly string[] = [], as = checker) {
  const file = join(directory, 'rekey.references.yaml');
  writeFileSync(file, JSON.stringify({ references }, null, 2));
  const ran = await rekey(as, 'preflight', file, '--json', ...argv);
  const read = JSON.parse(ran.stdout);
  const checks = (read.references ?? []).map(
    ({ findings }: { findings: { check: string; severity: string }[] }) =>
      findings.filter(({ severity }) => severity !== 'info').map(({ check }) => check),
  );
  return { ...ran, document: read, checks };
}

const rekey = async (as: CloudCredentials, ...argv: string[]) =>
  await run(
    'node',
    [join(checkout, 'bin', 'rekey.ts'), ...argv],
    { ...cloud.environment, ...credentialVariables(as), NO_COLOR: '1', REKEY_ENVIRONMENT: environment },
    120_000,
  );

beforeAll(async () => {
  directory = await newFolder('preflight');
  servers = await newServerFolder('preflight');
  mkdirSync(directory, { recursive: true });
  [cloud, postgres] = await Promise.all([startCloud({ directory }), startPostgres({ directory: servers })]);
  iam = new IAMClient(cloud.clientOptions());
  secrets = new SecretsManagerClient(cloud.clientOptions());
  const kms = new KMSClient(cloud.clientOptions());
  const s3 = new S3Client({ ...cloud.clientOptions(), forcePathStyle: true });
  const ssm = new SSMClient(cloud.clientOptions());
  const root = { AWS: `arn:aws:iam::${cloud.accountId}:root` };
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ Policy: document({ ...allow('kms:*'), Principal: root }) }),
  );
  const key = KeyMetadata?.Arn ?? '';
  const login = {
    engine: 'postgres',
    host: postgres.host,
    port: postgres.port,
    dbname: 'postgres',
    ...postgres.superuser,
  };
  const db = await makeSecret('/prod/orders/db', login, { KmsKeyId: key });
  await makeSecret('/prod/plain', { token: sentinel });
  await makeSecret('/prod/wrong', { ...login, password: `${sentinel}-wrong` });
  await makeSecret('/prod/nowhere', { ...login, port: 1 });
  await makeSecret('/prod/blocked', { token: sentinel });
  await makeSecret('/prod/revoked', { token: sentinel });
  await makeSecret('/dev/orders/db', { token: sentinel });
  await makeSecret('/prod/old', { token: sentinel });
  await makeSecret('/prod/gone', { token: sentinel });
  await secrets.send(new DeleteSecretCommand({ SecretId: '/prod/gone', RecoveryWindowInDays: 7 }));
  await secrets.send(
    new PutResourcePolicyCommand({
      SecretId: '/prod/blocked',
      ResourcePolicy: document({
        Sid: 'NobodyReads',
        Effect: 'Deny',
        Principal: '*',
        Action: 'secretsmanager:GetSecretValue',
        Resource: '*',
        Condition: { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${cloud.accountId}:role/reader*` } },
      }),
    }),
  );

  const read = (name: string) => allow('secretsmanager:GetSecretValue', arns[name]);
  const all = allow('secretsmanager:GetSecretValue');
  await makeRole('reader', all, allow('kms:Decrypt', key));
  await makeRole('reader-plain', read('/prod/plain'));
  await makeRole('reader-without-key', all);
  await makeRole('reader-granted', all);
  await makeRole('reader-bounded', all, allow('kms:Decrypt', key));
  await makeRole('reader-elsewhere', allow('secretsmanager:GetSecretValue', '*'), {
    ...allow('secretsmanager:GetSecretValue'),
    Effect: 'Deny',
    Condition: { StringNotEquals: { 'aws:RequestedRegion': 'eu-south-2' } },
  });
  await kms.send(
    new CreateGrantCommand({
      KeyId: key,
      GranteePrincipal: roles['reader-granted'],
      Operations: ['Decrypt'],
      Constraints: { EncryptionContextSubset: { SecretARN: db } },
    }),
  );
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName: 'limit',
      PolicyDocument: document(allow('secretsmanager:*'), allow('s3:*')),
    }),
  );
  await iam.send(
    new PutRolePermissionsBoundaryCommand({ RoleName: 'reader-bounded', PermissionsBoundary: Policy?.Arn }),
  );

  const put = (Name: string, value: unknown) =>
    ssm.send(
      new PutParameterCommand({
        Name,
        Value: typeof value === 'string' ? value : JSON.stringify(value),
        Type: 'String',
      }),
    );
  const define = (name: string, more: object = {}) =>
    put(definitionParameter(environment, name), {
      name,
      arn: arns[name],
      type: 'postgresql',
      strategy: 'single-user',
      owner: 'team-orders',
      consumers: [],
      schedule: 'rate(30 days)',
      rotationFunction: 'none',
      containmentFunction: 'none',
      ...more,
    });
  await put(`/rekey/${environment}/deployment/audit-bucket`, 'audit');
  await define('/prod/orders/db');
  await define('/prod/revoked');
  await put(`/rekey/${environment}/manual-secrets/old`, {
    name: '/prod/old',
    arn: arns['/prod/old'],
    owner: 'team-orders',
    purpose: 'an old key',
    consumers: [],
    replaceEveryDays: 90,
    expires: '2020-01-31',
  });
  await s3.send(new CreateBucketCommand({ Bucket: 'audit' }));
  const time = new Date().toISOString();
  const record = (detailType: string) => ({
    id: detailType,
    source: 'rekey.revocation',
    time,
    account: cloud.accountId,
    region: cloud.region,
    detailType,
    detail: { metadata: {}, data: { secretArn: arns['/prod/revoked'], incident: 'INC-7' } },
  });
  const { key: Key, body: Body } = encodeObject(
    emptyHead,
    ['Secret Revocation Started', 'Secret Revocation Failed'].map(record) as never,
    new Date(),
  );
  await s3.send(new PutObjectCommand({ Bucket: 'audit', Key, Body }));

  caller = (await createUser(cloud, 'alice', [allow('sts:AssumeRole')])).credentials;
  const administrator = await createUser(cloud, 'administrator', 'administrator');
  const printed = await rekey(administrator.credentials, 'preflight', '--print-policy');
  expect(printed.exitCode).toBe(0);
  await makeRole('checker', ...JSON.parse(printed.stdout).Statement);
  checker = await assumeRole(cloud, caller, roles.checker ?? '', 'checker');
  unprivileged = await assumeRole(cloud, caller, await makeRole('nobody'), 'nobody');
}, 300_000);

afterAll(async () => {
  await Promise.all([cloud?.stop(), postgres?.remove()]);
  await rm(directory, { recursive: true, force: true });
  await rm(servers, { recursive: true, force: true });
});

describe('a preflight by a role with the permissions that it prints', () => {
  test('proves what holds, by every way of naming it', async () => {
    const readBy = roles.reader;
    const arn = arns['/prod/orders/db'] ?? '';
    const ran = await preflight([
      { secret: '/prod/orders/db', key: 'password', readBy },
      { secret: arn, key: 'host', versionStage: 'AWSCURRENT', readBy },
      { secret: arn.slice(0, -7), readBy },
      { secret: '/prod/plain', key: 'token', readBy: 'reader-plain' },
    ]);
    expect(ran.checks).toEqual([[], [], [], []]);
    expect(ran).toMatchObject({ exitCode: 0, document: { verdict: 'proven' } });
  });

  test('finds each thing that is wrong', async () => {
    const readBy = roles.reader;
    const ran = await preflight([
      { secret: '/prod/order/db', readBy },
      { secret: `${arns['/prod/orders/db']?.slice(0, -6)}zzzzzz`, readBy },
      { secret: '/prod/gone', readBy },
      { secret: '/dev/orders/db', readBy },
      { secret: '/prod/old', readBy },
      { secret: '/prod/revoked', readBy },
      { secret: '/prod/plain', versionStage: 'AWSPREVIOUS', readBy },
      { secret: '/prod/plain', key: 'tokem', readBy },
      { secret: '/prod/blocked', readBy },
      { secret: '/prod/plain', readBy: 'reader-that-is-none' },
      { secret: arns['/prod/plain']?.replace(cloud.region, 'eu-south-2'), readBy },
    ]);
    expect(ran.checks).toEqual([
      ['SecretMissing'],
      ['SecretMissing'],
      ['SecretDeleted'],
      // The role of the check may look at secrets of its own environment and region alone.
      ['SecretOfOtherEnvironment', 'NotProven'],
      ['SecretExpired'],
      ['SecretRevoked'],
      ['VersionMissing'],
      ['KeyMissing'],
      ['ReaderDenied'],
      ['ReaderDenied'],
      ['NotProven'],
    ]);
    expect(ran.exitCode).toBe(1);
    expect(ran.stdout).not.toContain(sentinel);
  });

  test('says of each role what the cloud does', async () => {
    const names = ['/prod/orders/db', '/prod/plain', '/prod/blocked'];
    const readers = Object.keys(roles).filter((name) => name.startsWith('reader'));
    const pairs = readers.flatMap((role) => names.map((secret) => ({ role, secret })));
    const { checks } = await preflight(pairs.map(({ role, secret }) => ({ secret, readBy: roles[role] })));
    const said = pairs.map(
      ({ role, secret }, index) =>
        `${role} ${secret} ${checks[index].includes('ReaderDenied') ? 'no' : 'yes'}`,
    );
    const sessions = new Map(
      await Promise.all(
        readers.map(
          async (role) => [role, await assumeRole(cloud, caller, roles[role] ?? '', 'trial')] as const,
        ),
      ),
    );
    const happens: string[] = [];
    for (const { role, secret } of pairs) {
      const client = new SecretsManagerClient(cloud.clientOptions(sessions.get(role)));
      const outcome = await client.send(new GetSecretValueCommand({ SecretId: secret })).then(
        () => 'yes',
        (error: Error) => (error.name.startsWith('AccessDenied') ? 'no' : error.name),
      );
      happens.push(`${role} ${secret} ${outcome}`);
    }
    // The local cloud knows no grants where Secrets Manager uses a key; KMS honours them for whoever calls.
    // https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
    const byGrant = (line: string) => line.startsWith('reader-granted /prod/orders/db');
    expect(said.find(byGrant)).toMatch(/ yes$/);
    expect(said.filter((line) => !byGrant(line))).toEqual(happens.filter((line) => !byGrant(line)));
    expect(said.filter((line) => line.endsWith('no')).length).toBeGreaterThan(8);
    expect(said.filter((line) => line.endsWith('yes')).length).toBeGreaterThan(5);
  });

  test('counts who may read', async () => {
    const one = [{ secret: '/prod/plain', readBy: roles['reader-plain'] }];
    const { document: few } = await preflight(one, ['--max-readers', '2']);
    const [{ message }] = few.references[0].findings;
    expect(message).toMatch(/roles and users may read \/prod\/plain, and 2 are the limit/);
    expect((await preflight(one)).checks).toEqual([[]]);
  });

  test('tries credentials at the target, from here', async () => {
    const ca = join(directory, 'postgres.pem');
    writeFileSync(ca, postgres.caPem);
    const readBy = roles.reader;
    const references = ['/prod/orders/db', '/prod/wrong', '/prod/nowhere', '/prod/plain'].map((secret) => ({
      secret,
      readBy,
    }));
    const ran = await preflight(references, ['--probe', '--ca', ca]);
    expect(ran.checks).toEqual([[], ['CredentialRefused'], ['ProbeImpossible'], ['ProbeImpossible']]);
    expect(ran.exitCode).toBe(1);
    expect(`${ran.stdout}${ran.stderr}`).not.toContain(sentinel);
    expect(`${ran.stdout}${ran.stderr}`).not.toContain(postgres.superuser.password);
    // Without the authority the server is nobody's, which says nothing of the credential.
    expect((await preflight(references.slice(0, 1), ['--probe'])).checks).toEqual([['ProbeImpossible']]);
  });
});

test('a role that may nothing proves nothing, and is told what it lacks', async () => {
  const one = [{ secret: '/prod/plain', key: 'token', readBy: roles['reader-plain'] }];
  const { exitCode, document: read } = await preflight(one, [], unprivileged);
  expect(exitCode).toBe(3);
  expect(read.references[0]).toMatchObject({
    state: 'not proven',
    findings: [{ check: 'NotProven', fix: expect.stringContaining('secretsmanager:DescribeSecret') }],
  });
});
