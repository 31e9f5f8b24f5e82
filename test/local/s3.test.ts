import { rm } from 'node:fs/promises';
import { AttachRolePolicyCommand, CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { assumeRole, createUser, type IamUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { refusal, refusalText } from './support/refusal.ts';

const Bucket = 'audit-records';
const day = 24 * 3_600_000;

describe('S3 for an administrator who is not root', () => {
  let directory: string;
  let cloud: LocalCloud;
  let s3: S3Client;
  let admin: IamUser;

  beforeAll(async () => {
    directory = await newFolder('s3');
    cloud = await startCloud({ directory });
    admin = await createUser(cloud, 'administrator', 'administrator');
    s3 = new S3Client(cloud.clientOptions(admin.credentials));
    await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const DefaultRetention = { Mode: 'COMPLIANCE', Days: 1 } as const;
    await s3.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention } },
      }),
    );
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const put = async (Key: string, options: { IfNoneMatch?: string; client?: S3Client } = {}) =>
    await (options.client ?? s3).send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body: `record ${Key}`,
        ...(options.IfNoneMatch && { IfNoneMatch: options.IfNoneMatch }),
      }),
    );

  const text = async (Key: string, VersionId?: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...(VersionId && { VersionId }) }));
    return await Body?.transformToString();
  };

  test.each([false, true])(
    'a version under compliance retention is not deleted (governance bypass: %s)',
    async (BypassGovernanceRetention) => {
      const Key = `kept-${BypassGovernanceRetention}`;
      const { VersionId } = await put(Key);
      const remove = new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention });
      expect(await refusal(s3.send(remove))).toBe('AccessDenied');
      expect(await text(Key, VersionId)).toBe(`record ${Key}`);
    },
  );

  test('compliance retention is neither shortened nor weakened, and can be prolonged', async () => {
    const { VersionId } = await put('retained');
    const retain = async (Mode: 'COMPLIANCE' | 'GOVERNANCE', days: number) =>
      await s3.send(
        new PutObjectRetentionCommand({
          Bucket,
          Key: 'retained',
          VersionId,
          BypassGovernanceRetention: true,
          Retention: { Mode, RetainUntilDate: new Date(Date.now() + days * day) },
        }),
      );
    expect(await refusal(retain('COMPLIANCE', 0.5))).toBe('AccessDenied');
    expect(await refusal(retain('GOVERNANCE', 2))).toBe('AccessDenied');
    await retain('COMPLIANCE', 2);
    expect(await refusal(retain('COMPLIANCE', 1))).toBe('AccessDenied');
  });

  test('a delete hides the key behind a marker, and the listing shows version and marker', async () => {
    const { VersionId } = await put('hidden');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'hidden' }));
    expect(await refusal(s3.send(new GetObjectCommand({ Bucket, Key: 'hidden' })))).toBe('NoSuchKey');
    const listing = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'hidden' }));
    expect(listing.Versions).toMatchObject([{ Key: 'hidden', VersionId, IsLatest: false }]);
    expect(listing.DeleteMarkers).toMatchObject([{ Key: 'hidden', IsLatest: true }]);
    expect(await text('hidden', VersionId)).toBe('record hidden');
  });

  test('aws:kms without a key takes the account’s own', async () => {
    await s3.send(
      new PutObjectCommand({ Bucket, Key: 'by default', Body: 'x', ServerSideEncryption: 'aws:kms' }),
    );
    const { ServerSideEncryption } = await s3.send(new GetObjectCommand({ Bucket, Key: 'by default' }));
    expect(ServerSideEncryption).toBe('aws:kms');
  });

  test('If-None-Match: * refuses a key that exists', async () => {
    await put('once', { IfNoneMatch: '*' });
    expect(await refusal(put('once', { IfNoneMatch: '*' }))).toBe('PreconditionFailed');
    const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'once' }));
    expect(Versions).toHaveLength(1);
  });

  /**
   * Recorded on AWS by LocalStack, tests/aws/services/s3/*.snapshot.json: TestS3ObjectWritePrecondition (2026-02),
   * TestS3ObjectLockRetention and the test of a locked bucket's versioning.
   */
  describe('as recorded', () => {
    test('If-None-Match passes over a delete marker, and takes nothing but *', async () => {
      await put('marked', { IfNoneMatch: '*' });
      await s3.send(new DeleteObjectCommand({ Bucket, Key: 'marked' }));
      await put('marked', { IfNoneMatch: '*' });
      expect(await refusal(put('marked', { IfNoneMatch: '*' }))).toBe('PreconditionFailed');
      expect(await refusal(put('marked', { IfNoneMatch: '"d41d8cd98f00b204e9800998ecf8427e"' }))).toBe(
        'NotImplemented',
      );
    });

    test('a delete marker has no retention, can be removed, and a lock needs mode and date', async () => {
      await put('unretained');
      const Key = 'unretained';
      const { VersionId } = await s3.send(new DeleteObjectCommand({ Bucket, Key }));
      const Retention = { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Date.now() + day) } as const;
      const retain = s3.send(new PutObjectRetentionCommand({ Bucket, Key, VersionId, Retention }));
      expect(await refusal(retain)).toBe('MethodNotAllowed');
      const read = s3.send(new GetObjectRetentionCommand({ Bucket, Key, VersionId }));
      expect(await refusal(read)).toBe('MethodNotAllowed');
      await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
      expect(await text(Key)).toBe(`record ${Key}`);
      const half = new PutObjectCommand({ Bucket, Key: 'half', Body: 'x', ObjectLockMode: 'COMPLIANCE' });
      expect(await refusal(s3.send(half))).toBe('InvalidArgument');
    });

    test('the versioning of a locked bucket is not suspended', async () => {
      const VersioningConfiguration = { Status: 'Suspended' } as const;
      const suspend = s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
      expect(await refusal(suspend)).toBe('InvalidBucketState');
    });

    test('a key that is disabled or about to go encrypts and decrypts nothing', async () => {
      const kms = new KMSClient(cloud.clientOptions());
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      const key = KeyMetadata?.Arn ?? '';
      const encrypted = { Bucket: 'encrypted', Key: 'object' };
      await s3.send(new CreateBucketCommand({ Bucket: encrypted.Bucket }));
      const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key } as const;
      await s3.send(
        new PutBucketEncryptionCommand({
          Bucket: encrypted.Bucket,
          ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault }] },
        }),
      );
      const write = async () => await s3.send(new PutObjectCommand({ ...encrypted, Body: 'x' }));
      const read = async () => await s3.send(new GetObjectCommand(encrypted));
      await write();
      await kms.send(new DisableKeyCommand({ KeyId: key }));
      expect(await refusalText(write())).toBe(`KMS.DisabledException: ${key} is disabled.`);
      expect(await refusalText(read())).toBe(`KMS.DisabledException: ${key} is disabled.`);
      await kms.send(new EnableKeyCommand({ KeyId: key }));
      await read();
      await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }));
      expect(await refusal(write())).toBe('KMS.KMSInvalidStateException');
      expect(await refusal(read())).toBe('KMS.KMSInvalidStateException');
    });
  });

  test('a bucket policy denies writers other than one, and writes without If-None-Match', async () => {
    const writer = await createUser(cloud, 'writer', 'administrator');
    const theirs = new S3Client(cloud.clientOptions(writer.credentials));
    const objects = { Principal: '*', Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*` };
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Deny', ...objects, Condition: { ArnNotEquals: { 'aws:PrincipalArn': writer.arn } } },
        { Effect: 'Deny', ...objects, Condition: { Null: { 's3:if-none-match': 'true' } } },
      ],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect(await refusal(put('denied', { IfNoneMatch: '*' }))).toBe('AccessDenied');
    expect(await refusal(put('unconditional', { client: theirs }))).toBe('AccessDenied');
    await put('allowed', { IfNoneMatch: '*', client: theirs });
    expect(await text('allowed')).toBe('record allowed');
  });

  test('a bucket policy knows the session of a role by the ARN of the role', async () => {
    const administrator = await createUser(cloud, 'assuming', 'administrator');
    const iam = new IAMClient(cloud.clientOptions());
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: 'writing',
        Path: '/rekey/',
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { AWS: administrator.arn }, Action: 'sts:AssumeRole' }],
        }),
      }),
    );
    await iam.send(
      new AttachRolePolicyCommand({
        RoleName: 'writing',
        PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
      }),
    );
    const roleArn = Role?.Arn ?? '';
    const session = new S3Client(
      cloud.clientOptions(await assumeRole(cloud, administrator.credentials, roleArn, 'session')),
    );
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:PutObject',
        Resource: `arn:aws:s3:::${Bucket}/*`,
        Condition: { ArnNotEquals: { 'aws:PrincipalArn': roleArn } },
      },
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    await put('by the role', { client: session });
    expect(await text('by the role')).toBe('record by the role');
    expect(await refusal(put('by another'))).toBe('AccessDenied');
  });
});
