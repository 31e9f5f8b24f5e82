import { rm } from 'node:fs/promises';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  KMSClient,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DynamoFingerprintIndex } from '../../adapters/fingerprint-index.ts';
import { fingerprintKey } from '../../adapters/fingerprint-key.ts';
import { DynamoFingerprintLookup, DynamoLookupBudget } from '../../adapters/fingerprint-lookup.ts';
import { hashOf, messageOf } from '../../core/fingerprint/digest.ts';
import type { IndexedSecret } from '../../core/fingerprint/store.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { assumeRole, createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { refusal } from './support/refusal.ts';
import { allow, deployStack } from './support/stack.ts';

/** KMS and DynamoDB as the fingerprints rely on them, with the permissions that the functions' roles have. */

let directory: string;
let cloud: LocalCloud;
let keyArn: string;
let table: string;
let counts: string;
let signer: string;
let kms: KMSClient;
let administrator: DynamoDBClient;
let index: DynamoFingerprintIndex;
let lookup: DynamoFingerprintLookup;
let reader: DynamoDBClient;

const secret: IndexedSecret = {
  arn: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:/prod/orders-AbCdEf',
  name: '/prod/orders',
  type: 'postgresql',
  strategy: 'single-user',
  owner: 'team-orders',
};
const at = (seconds: number) => new Date(Date.parse('2026-03-01T00:00:00.000Z') + seconds * 1_000);

beforeAll(async () => {
  directory = await newFolder('fingerprints');
  cloud = await startCloud({ directory });
  const tableOf = (attributes: object) => ({
    BillingMode: 'PAY_PER_REQUEST',
    TimeToLiveSpecification: { AttributeName: 'forget', Enabled: true },
    SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: { 'Fn::GetAtt': ['Own', 'Arn'] } },
    ...attributes,
  });
  const root = { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:*', Resource: '*' };
  const stack = await deployStack(cloud, 'fingerprints', {
    Own: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: { Statement: [root] } } },
    Signer: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: `arn:aws:iam::${cloud.accountId}:root` },
              Action: 'sts:AssumeRole',
            },
          ],
        },
        Policies: [
          {
            PolicyName: 'sign',
            PolicyDocument: { Version: '2012-10-17', Statement: [allow('kms:GenerateMac')] },
          },
        ],
      },
    },
    Key: {
      Type: 'AWS::KMS::Key',
      Properties: {
        KeySpec: 'HMAC_256',
        KeyUsage: 'GENERATE_VERIFY_MAC',
        PendingWindowInDays: 30,
        KeyPolicy: {
          Statement: [
            { ...root, Principal: { AWS: `arn:aws:iam::${cloud.accountId}:root` } },
            {
              ...root,
              Effect: 'Deny',
              Action: ['kms:GenerateMac', 'kms:VerifyMac'],
              Condition: {
                ArnNotEquals: {
                  'aws:PrincipalArn': [
                    ...['lookup', 'verifier'].map((user) => `arn:aws:iam::${cloud.accountId}:user/${user}`),
                    { 'Fn::GetAtt': ['Signer', 'Arn'] },
                  ],
                },
              },
            },
          ],
        },
      },
    },
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: tableOf({
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    },
    Counts: {
      Type: 'AWS::DynamoDB::Table',
      Properties: tableOf({
        AttributeDefinitions: [{ AttributeName: 'hour', AttributeType: 'N' }],
        KeySchema: [{ AttributeName: 'hour', KeyType: 'HASH' }],
      }),
    },
  });
  const { KeyArn = '', TableRef = '', TableArn = '', CountsRef = '', CountsArn = '' } = stack.outputs;
  [keyArn, table, counts, signer] = [KeyArn, TableRef, CountsRef, stack.outputs.SignerArn ?? ''];
  const user = async (name: string, statements: readonly Readonly<Record<string, unknown>>[]) =>
    cloud.clientOptions((await createUser(cloud, name, statements)).credentials);
  const mayLookUp = await user('lookup', [
    { ...allow('kms:GenerateMac'), Resource: keyArn },
    { ...allow('dynamodb:Query'), Resource: TableArn },
    { ...allow('dynamodb:GetItem'), Resource: TableArn },
    { ...allow('dynamodb:UpdateItem'), Resource: CountsArn },
  ]);
  const mayFill = await user('index', [
    ...['GetItem', 'PutItem', 'Query', 'UpdateItem'].map((action) => ({
      ...allow(`dynamodb:${action}`),
      Resource: TableArn,
    })),
  ]);
  kms = new KMSClient(mayLookUp);
  reader = new DynamoDBClient(mayLookUp);
  administrator = new DynamoDBClient(cloud.clientOptions());
  index = new DynamoFingerprintIndex(new DynamoDBClient(mayFill), table);
  lookup = new DynamoFingerprintLookup(reader, table);
});

afterAll(async () => {
  await cloud?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('the HMAC key', () => {
  // https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
  test('signs the same hash alike, another one otherwise, and KMS knows its signatures', async () => {
    const key = fingerprintKey(kms, keyArn);
    const [mac, again, other] = [
      await key.sign(hashOf('a value')),
      await key.sign(hashOf('a value')),
      await key.sign(hashOf('another')),
    ];
    expect(mac).toMatch(/^[\w-]{43}$/);
    expect(again).toBe(mac);
    expect(other).not.toBe(mac);
    const { credentials } = await createUser(cloud, 'verifier', [
      { ...allow('kms:VerifyMac'), Resource: keyArn },
    ]);
    const root = new KMSClient(cloud.clientOptions(credentials));
    const verify = (Mac: Uint8Array) =>
      root.send(
        new VerifyMacCommand({
          KeyId: keyArn,
          MacAlgorithm: 'HMAC_SHA_256',
          Message: messageOf(hashOf('a value')),
          Mac,
        }),
      );
    expect((await verify(Buffer.from(mac, 'base64url'))).MacValid).toBe(true);
    expect(await refusal(verify(Buffer.from(other, 'base64url')))).toBe('KMSInvalidMacException');
  });

  // https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
  test('does nothing else, and only for whoever may', async () => {
    const root = new KMSClient(cloud.clientOptions());
    const { KeyMetadata } = await root.send(new DescribeKeyCommand({ KeyId: keyArn }));
    expect(KeyMetadata).toMatchObject({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const data = new Uint8Array([1]);
    expect(await refusal(root.send(new EncryptCommand({ KeyId: keyArn, Plaintext: data })))).toBe(
      'InvalidKeyUsageException',
    );
    // Whatever somebody's own policy says, as an administrator's does: the key names who may sign.
    const { credentials } = await createUser(cloud, 'stranger', [
      { ...allow('dynamodb:*'), Resource: '*' },
      { ...allow('kms:*'), Resource: '*' },
    ]);
    const stranger = new KMSClient(cloud.clientOptions(credentials));
    await expect(fingerprintKey(stranger, keyArn).sign(hashOf('a value'))).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringContaining('kms:GenerateMac'),
    });
    const verifying = kms.send(
      new VerifyMacCommand({ KeyId: keyArn, MacAlgorithm: 'HMAC_SHA_256', Message: data, Mac: data }),
    );
    expect(await refusal(verifying)).toBe('AccessDeniedException');
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html `aws:PrincipalArn`
  test('knows the session of a role that it lets sign by the ARN of the role', async () => {
    const { credentials } = await createUser(cloud, 'assuming', [allow('sts:AssumeRole')]);
    const session = await assumeRole(cloud, credentials, signer, 'function');
    const key = fingerprintKey(new KMSClient(cloud.clientOptions(session)), keyArn);
    expect(await key.sign(hashOf('a value'))).toMatch(/^[\w-]{43}$/);
  });

  // https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
  test('that is disabled signs nothing, and the error says so', async () => {
    const root = new KMSClient(cloud.clientOptions());
    await root.send(new DisableKeyCommand({ KeyId: keyArn }));
    await expect(fingerprintKey(kms, keyArn).sign(hashOf('a value'))).rejects.toMatchObject({
      message: expect.stringContaining('DisabledException'),
    });
    await root.send(new EnableKeyCommand({ KeyId: keyArn }));
    // https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html `Message`
    const long = { KeyId: keyArn, MacAlgorithm: 'HMAC_SHA_256', Message: new Uint8Array(4_097) } as const;
    expect(await refusal(kms.send(new GenerateMacCommand(long)))).toBe('ValidationException');
  });
});

describe('the tables', () => {
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
  test('are encrypted, forget, and the index can be recovered, as their stack says', async () => {
    for (const TableName of [table, counts]) {
      const { Table } = await administrator.send(new DescribeTableCommand({ TableName }));
      expect(Table?.SSEDescription).toMatchObject({ Status: 'ENABLED', SSEType: 'KMS' });
      expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST');
      const { TimeToLiveDescription } = await administrator.send(
        new DescribeTimeToLiveCommand({ TableName }),
      );
      expect(TimeToLiveDescription).toEqual({ AttributeName: 'forget', TimeToLiveStatus: 'ENABLED' });
    }
    const backups = async (TableName: string) =>
      (await administrator.send(new DescribeContinuousBackupsCommand({ TableName })))
        .ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
    expect([await backups(table), await backups(counts)]).toEqual(['ENABLED', 'DISABLED']);
  });

  test('give whoever looks up points, and neither a list nor a place to write', async () => {
    expect(await refusal(reader.send(new ScanCommand({ TableName: table })))).toBe('AccessDeniedException');
    expect(await refusal(reader.send(new QueryCommand({ TableName: counts })))).toBe('AccessDeniedException');
    const Key = { pk: { S: 'secrets' }, sk: { S: secret.arn } };
    expect(await refusal(reader.send(new UpdateItemCommand({ TableName: table, Key })))).toBe(
      'AccessDeniedException',
    );
  });
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
test('a table keeps what it holds when its stack changes how it is encrypted, forgets and can be recovered', async () => {
  const properties = {
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
  };
  const tableOf = (more: object) => ({
    Table: { Type: 'AWS::DynamoDB::Table', Properties: { ...properties, ...more } },
  });
  const stack = await deployStack(cloud, 'changing', tableOf({}));
  const TableName = stack.outputs.TableRef ?? '';
  await administrator.send(new PutItemCommand({ TableName, Item: { id: { S: 'kept' } } }));
  const settings = async () => {
    const [{ Table }, { TimeToLiveDescription }, { ContinuousBackupsDescription }, { Items }] =
      await Promise.all([
        administrator.send(new DescribeTableCommand({ TableName })),
        administrator.send(new DescribeTimeToLiveCommand({ TableName })),
        administrator.send(new DescribeContinuousBackupsCommand({ TableName })),
        administrator.send(new ScanCommand({ TableName })),
      ]);
    return [
      Table?.SSEDescription?.SSEType,
      TimeToLiveDescription?.TimeToLiveStatus,
      ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus,
      Items?.[0]?.id?.S,
    ];
  };
  expect(await settings()).toEqual([undefined, 'DISABLED', 'DISABLED', 'kept']);
  await stack.update(
    tableOf({
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      TimeToLiveSpecification: { AttributeName: 'forget', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    }),
  );
  expect(await settings()).toEqual(['KMS', 'ENABLED', 'ENABLED', 'kept']);
  await stack.update(tableOf({}));
  expect((await settings()).slice(1)).toEqual(['DISABLED', 'DISABLED', 'kept']);
});

describe('the index', () => {
  const values = [
    { mac: 'mac-of-password', parts: ['password'] },
    { mac: 'mac-of-all', parts: ['the whole secret'] },
  ];
  const version = (seconds: number, ...labels: string[]) => ({
    versionId: 'v1',
    labels,
    seenAt: at(seconds),
    created: at(0),
  });
  const expiries = async () =>
    ((await administrator.send(new ScanCommand({ TableName: table }))).Items ?? []).map(({ pk, forget }) => [
      pk?.S?.split('#')[0],
      forget?.N,
    ]);

  test('finds a version by each of its values, with what is known of its secret', async () => {
    await index.note(secret);
    await index.add(secret.arn, version(1, 'AWSCURRENT'), values);
    for (const { mac, parts } of values) {
      expect(await lookup.find(mac)).toEqual([
        {
          secretArn: secret.arn,
          secretName: '/prod/orders',
          secretType: 'postgresql',
          strategy: 'single-user',
          owner: 'team-orders',
          versionId: 'v1',
          parts,
          labels: ['AWSCURRENT'],
          seenAt: at(1).toISOString(),
          created: at(0).toISOString(),
        },
      ]);
    }
    expect(await lookup.find('another')).toEqual([]);
    expect(await index.secrets()).toEqual([secret]);
    expect(await index.secret(secret.arn)).toEqual(secret);
    expect(await index.secret('another')).toBeUndefined();
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
  test('keeps the newer of two looks, whichever is written first', async () => {
    const [known] = await index.versions(secret.arn);
    if (known === undefined) throw new Error('no version');
    const replaced = { labels: [], seenAt: at(20), replacedBy: at(20), forgetAt: at(1_000) };
    await index.relabel(secret.arn, known, replaced);
    await index.relabel(secret.arn, known, { labels: ['AWSPREVIOUS'], seenAt: at(10) });
    await index.add(secret.arn, version(5, 'AWSCURRENT'), values);
    expect(await index.versions(secret.arn)).toEqual([
      { versionId: 'v1', created: at(0), macs: values.map(({ mac }) => mac), ...replaced },
    ]);
    expect((await lookup.find('mac-of-all'))[0]).toMatchObject({
      labels: [],
      replacedBy: at(20).toISOString(),
    });
  });

  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
  test('forgets a version and its values together, and no more once it has a label again', async () => {
    const [known] = await index.versions(secret.arn);
    if (known === undefined) throw new Error('no version');
    const forgetAt = at(2_000);
    await index.relabel(secret.arn, known, { labels: [], seenAt: at(30), replacedBy: at(20), forgetAt });
    const seconds = String(forgetAt.getTime() / 1_000);
    expect((await expiries()).filter(([kind]) => kind !== 'secrets').map(([, forget]) => forget)).toEqual([
      seconds,
      seconds,
      seconds,
    ]);
    await index.relabel(secret.arn, known, { labels: ['AWSCURRENT'], seenAt: at(40) });
    expect((await expiries()).map(([, forget]) => forget)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    const [back] = await index.versions(secret.arn);
    expect([back?.replacedBy, back?.forgetAt]).toEqual([undefined, undefined]);
  });

  test('makes nothing of a version that was forgotten meanwhile', async () => {
    await index.relabel(
      secret.arn,
      { ...version(1), versionId: 'v9', macs: ['gone'] },
      { labels: ['AWSCURRENT'], seenAt: at(50) },
    );
    expect((await index.versions(secret.arn)).map(({ versionId }) => versionId)).toEqual(['v1']);
    expect(await lookup.find('gone')).toEqual([]);
  });

  test('says of a secret when it was gone, and names its version all the same', async () => {
    await index.note({ ...secret, goneBy: at(60) }, at(3_000));
    expect(await index.secret(secret.arn)).toEqual({ ...secret, goneBy: at(60) });
    expect((await lookup.find('mac-of-all'))[0]).toMatchObject({ goneBy: at(60).toISOString() });
  });
});

describe('the limit on lookups', () => {
  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html `ReturnValuesOnConditionCheckFailure`
  const budget = () => new DynamoLookupBudget(reader, counts, { perMinute: 10, perHour: 25 });
  const noon = (seconds: number) => new Date(Date.parse('2026-03-02T12:00:00.000Z') + seconds * 1_000);

  test('holds for callers that come at once: no more is taken than there is', async () => {
    const taken = await Promise.all(Array.from({ length: 12 }, () => budget().take(3, noon(15))));
    expect(taken.filter((one) => one === 'taken')).toHaveLength(3);
    expect(taken.filter((one) => one !== 'taken')).toEqual(Array(9).fill({ retryAfterSeconds: 45 }));
  });

  test('is new each minute, until the hour is used up; then each hour', async () => {
    expect(await budget().take(1, noon(20))).toBe('taken');
    expect(await budget().take(1, noon(21))).toEqual({ retryAfterSeconds: 39 });
    expect(await budget().take(10, noon(60))).toBe('taken');
    expect(await budget().take(6, noon(120))).toEqual({ retryAfterSeconds: 3_480 });
    expect(await budget().take(5, noon(120))).toBe('taken');
    expect(await budget().take(1, noon(180))).toEqual({ retryAfterSeconds: 3_420 });
    expect(await budget().take(10, noon(3_600))).toBe('taken');
  });

  test('is forgotten after the hour', async () => {
    const { Items = [] } = await administrator.send(new ScanCommand({ TableName: counts }));
    const hour = noon(0).getTime() / 3_600_000;
    const [item] = Items.filter((one) => one.hour?.N === String(hour));
    expect(item).toMatchObject({ lookups: { N: '25' }, forget: { N: String((hour + 2) * 3_600) } });
  });
});
