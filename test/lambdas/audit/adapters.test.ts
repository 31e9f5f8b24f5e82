import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { DirectoryAuditLog } from '../../../adapters/audit-copy.ts';
import { S3AuditStore } from '../../../adapters/audit-store.ts';
import { objectKey } from '../../../core/audit/format.ts';
import { verifyLog } from '../../../core/audit/verify.ts';
import { recordBatch } from '../../../lambdas/audit/batch.ts';
import { AuditWriter } from '../../../lambdas/audit/writer.ts';
import { finding, sampleLog, start } from '../../core/audit/sample.ts';
import { MemoryAuditStore } from './memory-audit-store.ts';

const s3 = mockClient(S3Client);
afterEach(() => {
  s3.reset();
});
const store = new S3AuditStore(new S3Client({ region: 'eu-central-1' }), 'bucket');
const named = (name: string) => Object.assign(new Error(name), { name });
const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
};

describe('the audit log in S3', () => {
  test('an object is put only where none is, with a checksum', async () => {
    s3.on(PutObjectCommand).resolves({});
    expect(await store.put(objectKey(1), Buffer.from('x'))).toBe('stored');
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
      Bucket: 'bucket',
      Key: objectKey(1),
      IfNoneMatch: '*',
      ChecksumAlgorithm: 'SHA256',
    });
  });

  test.each(['PreconditionFailed', 'ConditionalRequestConflict'])('%s: the place is taken', async (name) => {
    s3.on(PutObjectCommand).rejects(named(name));
    expect(await store.put(objectKey(1), Buffer.from('x'))).toBe('taken');
  });

  test('a refusal is not taken for a taken place', async () => {
    s3.on(PutObjectCommand).rejects(named('AccessDenied'));
    await expect(store.put(objectKey(1), Buffer.from('x'))).rejects.toThrow('AccessDenied');
  });

  test('the first key behind another costs one key', async () => {
    s3.on(ListObjectsV2Command)
      .resolvesOnce({ Contents: [{ Key: objectKey(9) }] })
      .resolves({});
    expect(await store.list(objectKey(5), 1)).toEqual([expect.objectContaining({ key: objectKey(9) })]);
    expect(await store.list(objectKey(9), 1)).toEqual([]);
    expect(s3.commandCalls(ListObjectsV2Command)[0]?.args[0].input).toEqual({
      Bucket: 'bucket',
      Prefix: 'entries/',
      StartAfter: objectKey(5),
      MaxKeys: 1,
    });
  });

  test('a page of S3 that is shorter than asked for is not taken for the end', async () => {
    s3.on(ListObjectsV2Command)
      .resolvesOnce({ Contents: [{ Key: objectKey(6) }], IsTruncated: true })
      .resolves({ Contents: [{ Key: objectKey(7) }] });
    expect((await store.list(objectKey(5), 3)).map(({ key }) => key)).toEqual([objectKey(6), objectKey(7)]);
    expect(s3.commandCalls(ListObjectsV2Command)[1]?.args[0].input).toMatchObject({
      StartAfter: objectKey(6),
      MaxKeys: 2,
    });
  });

  test('versions and delete markers come as one list, newest first, over several pages', async () => {
    const at = (seconds: number) => new Date(start + seconds * 1000);
    s3.on(ListObjectVersionsCommand)
      .resolvesOnce({
        Versions: [
          { Key: objectKey(1), VersionId: 'a2', IsLatest: false, LastModified: at(5) },
          { Key: objectKey(1), VersionId: 'a1', IsLatest: false, LastModified: at(1) },
          { Key: objectKey(2), VersionId: 'b1', IsLatest: true, LastModified: at(2) },
        ],
        DeleteMarkers: [{ Key: objectKey(1), VersionId: 'a3', IsLatest: true, LastModified: at(5) }],
        IsTruncated: true,
        NextKeyMarker: objectKey(2),
        NextVersionIdMarker: 'b1',
      })
      .resolves({ Versions: [{ Key: objectKey(3), VersionId: 'c1', IsLatest: true, LastModified: at(3) }] });
    const versions = await collect(store.versions());
    expect(versions.map(({ versionId, deleteMarker }) => [versionId, deleteMarker])).toEqual([
      ['a3', true],
      ['a2', false],
      ['a1', false],
      ['b1', false],
      ['c1', false],
    ]);
    expect(s3.commandCalls(ListObjectVersionsCommand)[1]?.args[0].input).toMatchObject({
      KeyMarker: objectKey(2),
      VersionIdMarker: 'b1',
    });
  });

  test('a version is read by its id', async () => {
    s3.on(GetObjectCommand).resolves({
      Body: { transformToByteArray: async () => Buffer.from('bytes') } as never,
    });
    expect(Buffer.from(await store.read({ key: objectKey(1), versionId: 'a1' })).toString()).toBe('bytes');
    expect(s3.commandCalls(GetObjectCommand)[0]?.args[0].input.VersionId).toBe('a1');
  });
});

describe('a copy of the log in a directory', () => {
  test('verifies as the bucket does, and an altered record is named', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'audit-copy-'));
    try {
      const { store: log, head } = sampleLog([2, 3]);
      await mkdir(join(directory, 'entries'));
      for (const [key, [version]] of log.objects) {
        await writeFile(join(directory, key), version?.body ?? '');
      }
      const copy = new DirectoryAuditLog(directory);
      const now = new Date(start);
      expect(await verifyLog(copy, { now, expectHead: head })).toMatchObject({ intact: true, records: 5 });
      const body = Buffer.from(await copy.read({ key: objectKey(3) })).toString();
      await writeFile(join(directory, objectKey(3)), body.replace('correlation-4', 'correlation-5'));
      expect((await verifyLog(copy, { now })).problems).toEqual([
        expect.objectContaining({ code: 'RecordAltered', sequence: 4 }),
      ]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('a batch of the queue', () => {
  const clock = { now: () => new Date(start) };
  const message = (body: string, messageId: string) => ({ body, messageId, awsRegion: 'eu-central-1' });
  const delivered = (number: number) => {
    const { detailType, ...event } = finding(number);
    return JSON.stringify({ ...event, 'detail-type': detailType });
  };
  const tools = () => {
    const counted: unknown[] = [];
    const warned: unknown[] = [];
    const errors: unknown[] = [];
    return {
      counted,
      warned,
      errors,
      given: {
        logger: {
          warn: (...entry: unknown[]) => warned.push(entry),
          error: (...entry: unknown[]) => errors.push(entry),
        },
        metrics: { addMetric: (...metric: unknown[]) => counted.push(metric) },
      } as unknown as Parameters<typeof recordBatch>[2],
    };
  };
  const batch = (...messages: ReturnType<typeof message>[]) =>
    ({ Records: messages }) as unknown as Parameters<typeof recordBatch>[0];

  test('becomes one object, in order; what is no event is recorded without its data', async () => {
    const log = new MemoryAuditStore();
    const { given, counted, warned } = tools();
    await recordBatch(
      batch(message(delivered(1), 'm1'), message('hunter2', 'm2'), message(delivered(3), 'm3')),
      { writer: new AuditWriter({ store: log, clock }), clock },
      given,
    );
    expect([...log.objects.keys()]).toEqual([objectKey(1)]);
    const text = Buffer.from(log.objects.get(objectKey(1))?.[0]?.body ?? []).toString();
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).event.id),
    ).toEqual(['bus-1', 'm2', 'bus-3']);
    expect(text).not.toContain('hunter2');
    expect(counted).toEqual([['AuditRecordsWritten', 'Count', 3]]);
    expect(warned).toHaveLength(1);
  });

  test('holds who sent each message, as SQS attests it, and nobody where SQS says nothing', async () => {
    const log = new MemoryAuditStore();
    const sent = { ...message(delivered(1), 'm1'), attributes: { SenderId: 'AROAEXAMPLE:session' } };
    const { given } = tools();
    const writer = new AuditWriter({ store: log, clock });
    await recordBatch(batch(sent, message(delivered(2), 'm2')), { writer, clock }, given);
    const text = Buffer.from(log.objects.get(objectKey(1))?.[0]?.body ?? []).toString();
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event);
    expect(events.map(({ id, sender }) => [id, sender])).toEqual([
      ['bus-1', 'AROAEXAMPLE:session'],
      ['bus-2', undefined],
    ]);
    expect(Object.hasOwn(events[1], 'sender')).toBe(false);
  });

  test('names each object behind which the log goes on, and counts it for the alarm', async () => {
    const log = new MemoryAuditStore();
    const store = { writer: new AuditWriter({ store: log, clock }), clock };
    await recordBatch(batch(message(delivered(1), 'm1')), store, tools().given);
    log.overwrite(objectKey(2), Buffer.from('not a record'));
    const { given, counted, errors } = tools();
    const cold = { writer: new AuditWriter({ store: log, clock }), clock };
    await recordBatch(batch(message(delivered(2), 'm2')), cold, given);
    expect(counted).toEqual([
      ['AuditLogBroken', 'Count', 1],
      // One of them says that the object is broken.
      ['AuditRecordsWritten', 'Count', 2],
    ]);
    expect(errors).toEqual([[expect.stringContaining('not intact'), { key: objectKey(2) }]]);
  });

  test('a bucket that refuses keeps the whole batch in the queue', async () => {
    const log = new MemoryAuditStore();
    log.put = () => Promise.reject(named('AccessDenied'));
    const { given, counted } = tools();
    const call = recordBatch(
      batch(message(delivered(1), 'm1')),
      { writer: new AuditWriter({ store: log, clock }), clock },
      given,
    );
    await expect(call).rejects.toThrow('AccessDenied');
    expect(counted).toEqual([]);
  });
});
