import { rm } from 'node:fs/promises';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DynamoPaceTable } from '../../adapters/pace-table.ts';
import { SharedBucket, takeOrGo } from '../../core/pace/token-bucket.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { allow, deployStack, keyedTable } from './support/stack.ts';

describe('A pace that workers share by a table', () => {
  let directory: string;
  let cloud: LocalCloud;
  let table: string;
  let client: DynamoDBClient;
  const now = new Date('2026-03-01T00:00:00.000Z');

  beforeAll(async () => {
    directory = await newFolder('pace');
    cloud = await startCloud({ directory });
    const stack = await deployStack(cloud, 'pace', {
      Table: keyedTable({ TimeToLiveSpecification: { AttributeName: 'forgetAt', Enabled: true } }),
    });
    table = stack.outputs.TableRef ?? '';
    // A worker needs one action, on one table.
    const user = await createUser(cloud, 'worker', [allow('dynamodb:UpdateItem', stack.outputs.TableArn)]);
    client = new DynamoDBClient(cloud.clientOptions(user.credentials));
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('gives twenty that come at once twenty different starts', async () => {
    const buckets = Array.from({ length: 20 }, () => new SharedBucket(new DynamoPaceTable(client, table)));
    const pace = { ratePerSecond: 20, burst: 5 };
    const waits = await Promise.all(buckets.map((bucket) => bucket.take('rotate', pace, now)));
    const expected = Array.from({ length: 20 }, (_, index) => Math.max(0, index + 1 - pace.burst) * 50);
    expect(waits.toSorted((a, b) => a - b)).toEqual(expected);
    // A second later twenty are free again, but for the five that may come at once beside.
    const later = new Date(now.getTime() + 1_000);
    expect(await buckets[0]?.take('rotate', pace, later)).toBe(0);
  });

  test('keeps each bucket apart, and forgets it a week after its last start', async () => {
    const bucket = new SharedBucket(new DynamoPaceTable(client, table));
    const pace = { ratePerSecond: 1, burst: 1 };
    expect(await bucket.take('first', pace, now)).toBe(0);
    expect(await bucket.take('second', pace, now)).toBe(0);
    expect(await bucket.take('first', pace, now)).toBe(1_000);
    const administrator = new DynamoDBClient(cloud.clientOptions());
    const { Item } = await administrator.send(
      new GetItemCommand({ TableName: table, Key: { pk: { S: 'pace#first' } } }),
    );
    expect(Item).toEqual({
      pk: { S: 'pace#first' },
      fullAt: { N: String(now.getTime() * 1_000 + 2_000_000) },
      forgetAt: { N: String(now.getTime() / 1_000 + 7 * 86_400) },
    });
  });

  test('stops no emergency where the table is missing, denied, or does not answer', async () => {
    const pace = { ratePerSecond: 1, burst: 1 };
    const through = async (dynamo: DynamoDBClient, name: string) =>
      await takeOrGo(() => new SharedBucket(new DynamoPaceTable(dynamo, name)).take('rotate', pace, now));
    const administrator = new DynamoDBClient(cloud.clientOptions());
    expect(await through(administrator, 'none')).toEqual({ waitMs: 0, without: 'ResourceMissing' });
    expect(await through(client, 'none')).toEqual({ waitMs: 0, without: 'AccessDenied' });
    const nowhere = { ...cloud.clientOptions(), endpoint: 'https://127.0.0.1:1', maxAttempts: 1 };
    expect(await through(new DynamoDBClient(nowhere), table)).toEqual({ waitMs: 0, without: 'Unreachable' });
  });
});
