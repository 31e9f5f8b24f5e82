import { Readable } from 'node:stream';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { S3AuditStore } from '../../adapters/audit-store.ts';
import { S3AuditObjects } from '../../adapters/operator/audit-objects.ts';

const mebibyte = 1024 * 1024;
const client = () => new S3Client({ region: 'eu-central-1' });

describe.each([
  ['the writer, and verification', () => new S3AuditStore(client(), 'b').read({ key: 'k' })],
  ['audit tail, and doctor', () => new S3AuditObjects(client(), 'b').read('k')],
])('an object of the audit log, as %s reads it', (_, read) => {
  test('is its bytes', async () => {
    const Body = { transformToByteArray: async () => Buffer.from('line\n') };
    mockClient(S3Client)
      .on(GetObjectCommand)
      .resolves({ ContentLength: 5, Body: Body as never });
    expect(Buffer.from(await read()).toString()).toBe('line\n');
  });

  test('is empty where it was sealed with a key that S3 does not have', async () => {
    const error = Object.assign(new Error('The object was stored using a form of Server Side Encryption.'), {
      name: 'InvalidRequest',
      $metadata: { httpStatusCode: 400 },
    });
    mockClient(S3Client).on(GetObjectCommand).rejects(error);
    expect(await read()).toHaveLength(0);
  });

  test('is not taken into memory where it is larger than any of the log', async () => {
    let sent = 0;
    const body = Readable.from(
      (function* () {
        for (; sent < 160; sent += 1) yield Buffer.alloc(mebibyte);
      })(),
    );
    const transformToByteArray = async () => Buffer.concat(await body.toArray());
    mockClient(S3Client)
      .on(GetObjectCommand)
      .resolves({
        ContentLength: 5 * 1024 * mebibyte,
        Body: Object.assign(body, { transformToByteArray }) as never,
      });
    expect(await read()).toHaveLength(0);
    expect(sent).toBeLessThan(16);
  });

  test('is an error where reading failed for any other reason', async () => {
    mockClient(S3Client)
      .on(GetObjectCommand)
      .rejects(Object.assign(new Error('busy'), { name: 'SlowDown' }));
    await expect(read()).rejects.toThrow();
  });
});
