import { rm } from 'node:fs/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectLegalHoldCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { S3LegalHolds } from '../../adapters/operator/legal-holds.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { allow } from './support/stack.ts';

const Bucket = 'held-records';
const Key = 'entries/000000000001.ndjson';

describe('legal holds on records', () => {
  let directory: string;
  let cloud: LocalCloud;
  let client: S3Client;
  let versionId: string;

  beforeAll(async () => {
    directory = await newFolder('legal-holds');
    cloud = await startCloud({ directory });
    client = new S3Client({ ...cloud.clientOptions(), forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const put = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'record\n' }));
    versionId = put.VersionId ?? '';
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
  test('are placed by whoever may place them alone, again as once, and keep the version', async () => {
    const user = await createUser(cloud, 'auditor', [
      {
        ...allow('s3:PutObjectLegalHold', `arn:aws:s3:::${Bucket}/entries/*`),
        Condition: { StringEquals: { 's3:object-lock-legal-hold': 'ON' } },
      },
    ]);
    const theirs = new S3Client({ ...cloud.clientOptions(user.credentials), forcePathStyle: true });
    const holds = new S3LegalHolds(theirs, Bucket);
    await holds.place(Key, versionId);
    await holds.place(Key, versionId);
    const { LegalHold } = await client.send(
      new GetObjectLegalHoldCommand({ Bucket, Key, VersionId: versionId }),
    );
    expect(LegalHold?.Status).toBe('ON');
    await expect(
      client.send(new DeleteObjectCommand({ Bucket, Key, VersionId: versionId })),
    ).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    const off = new PutObjectLegalHoldCommand({
      Bucket,
      Key,
      VersionId: versionId,
      LegalHold: { Status: 'OFF' },
    });
    await expect(theirs.send(off)).rejects.toMatchObject({ name: 'AccessDenied' });
    await client.send(off);
    await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId: versionId }));
  });
});
