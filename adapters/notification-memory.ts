import {
  type AttributeValue,
  BatchWriteItemCommand,
  type BatchWriteItemCommandOutput,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { type Held, heldSchema } from '../core/notification/digest.ts';
import { type Incident, incidentSchema } from '../core/notification/incident.ts';
import type { HeldEntry, KeptIncident, NotificationMemory } from '../core/notification/ports.ts';
import { awsError } from './aws-error.ts';

const dayMs = 24 * 60 * 60_000;
/** Time for which it is known that a message was sent: longer than queue and dead letters keep an event. */
const rememberedMs = 30 * dayMs;
/** Time for which an incident is remembered after its last change. */
const incidentMs = 180 * dayMs;
/** Time for which a call has a message for itself: longer than the function runs. */
const leaseMs = 90_000;
/** Items that DynamoDB takes in one batch. */
const mostInBatch = 25;
const batchAttempts = 5;

type Item = Record<string, AttributeValue>;

const text = (item: Item | undefined, name: string): string | undefined => item?.[name]?.S;
const seconds = (at: number): AttributeValue => ({ N: String(Math.ceil(at / 1_000)) });
const isLost = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'ConditionalCheckFailedException' ||
    (error.name === 'TransactionCanceledException' &&
      /ConditionalCheckFailed|TransactionConflict/.test(error.message)));

/**
 * The notifier's memory as one DynamoDB table, with the keys `partition` and `sort`. Its items end by themselves, by the time in
 * `expires`, which DynamoDB looks at within days: no decision depends on an item's being gone.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export class DynamoNotificationMemory implements NotificationMemory {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async claim(channel: string, id: string, now: Date): Promise<'mine' | 'done' | 'taken'> {
    const isClaimed = await this.#put(
      {
        ...keyOf(`message ${channel}`, id),
        state: { S: 'sending' },
        until: { N: String(now.getTime() + leaseMs) },
        expires: seconds(now.getTime() + rememberedMs),
      },
      {
        ConditionExpression: 'attribute_not_exists(#sort) OR (#state = :sending AND #until < :now)',
        ExpressionAttributeNames: { '#sort': 'sort', '#state': 'state', '#until': 'until' },
        ExpressionAttributeValues: { ':sending': { S: 'sending' }, ':now': { N: String(now.getTime()) } },
      },
    );
    if (isClaimed) return 'mine';
    const kept = await this.#get(`message ${channel}`, id);
    return text(kept, 'state') === 'sending' ? 'taken' : 'done';
  }

  async sent(channel: string, id: string, now: Date): Promise<void> {
    await this.#put({
      ...keyOf(`message ${channel}`, id),
      state: { S: 'sent' },
      expires: seconds(now.getTime() + rememberedMs),
    });
  }

  async unclaim(channel: string, id: string): Promise<void> {
    await this.#delete(`message ${channel}`, id);
  }

  async hold(channel: string, held: Held, due: Date, now: Date): Promise<void> {
    const expires = seconds(now.getTime() + rememberedMs);
    const isHeld = await this.#transact([
      {
        Put: {
          TableName: this.#table,
          Item: {
            ...keyOf(`held ${channel}`, `${due.toISOString()} ${held.id}`),
            held: { S: JSON.stringify(held) },
            expires,
          },
        },
      },
      {
        Put: {
          TableName: this.#table,
          Item: { ...keyOf(`message ${channel}`, held.id), state: { S: 'held' }, expires },
        },
      },
    ]);
    if (!isHeld) {
      throw new RekeyError(
        'ResourceBusy',
        `DynamoDB: another call changes the message ${held.id} in ${this.#table}; it is tried again`,
      );
    }
  }

  async due(channel: string, now: Date, limit: number): Promise<readonly HeldEntry[]> {
    const items = await this.#before(`held ${channel}`, now, limit);
    return items.flatMap((item) => {
      const held = heldSchema.safeParse(JSON.parse(text(item, 'held') ?? 'null')).data;
      const key = text(item, 'sort');
      return held === undefined || key === undefined ? [] : [{ key, held }];
    });
  }

  async forget(channel: string, entries: readonly HeldEntry[]): Promise<void> {
    for (let from = 0; from < entries.length; from += mostInBatch) {
      const requests = entries
        .slice(from, from + mostInBatch)
        .map(({ key }) => ({ DeleteRequest: { Key: keyOf(`held ${channel}`, key) } }));
      await this.#deleteAll(requests);
    }
  }

  async take(bucket: string, taker: string, limit: number, until: Date): Promise<boolean> {
    const update = new UpdateItemCommand({
      TableName: this.#table,
      Key: keyOf(`count ${bucket}`, 'takers'),
      UpdateExpression: 'ADD #takers :self SET #expires = :expires',
      ConditionExpression:
        'attribute_not_exists(#takers) OR contains(#takers, :taker) OR size(#takers) < :limit',
      ExpressionAttributeNames: { '#takers': 'takers', '#expires': 'expires' },
      ExpressionAttributeValues: {
        ':self': { SS: [taker] },
        ':taker': { S: taker },
        ':limit': { N: String(limit) },
        ':expires': seconds(until.getTime() + dayMs),
      },
    });
    return await this.#unlessLost(this.#client.send(update), 'UpdateItem');
  }

  async pause(channel: string, until: Date): Promise<void> {
    await this.#put({
      ...keyOf(`pause ${channel}`, 'until'),
      until: { N: String(until.getTime()) },
      expires: seconds(until.getTime() + dayMs),
    });
  }

  async pausedUntil(channel: string): Promise<Date | undefined> {
    const until = (await this.#get(`pause ${channel}`, 'until'))?.until?.N;
    return until === undefined ? undefined : new Date(Number(until));
  }

  async incident(id: string): Promise<KeptIncident | undefined> {
    const item = await this.#get('incident', id);
    const incident = incidentSchema.safeParse(JSON.parse(text(item, 'incident') ?? 'null')).data;
    const version = Number(item?.version?.N ?? 0);
    return incident === undefined ? undefined : { incident, version };
  }

  async replace(
    version: number,
    incident: Incident,
    { before, next }: { readonly before?: Date; readonly next?: Date },
  ): Promise<boolean> {
    const expires = seconds(Date.now() + incidentMs);
    const key = (due: Date) => keyOf('step', `${due.toISOString()} ${incident.id}`);
    const isMoved = before !== undefined && before.getTime() !== next?.getTime();
    const items: TransactWriteItem[] = [
      {
        Put: {
          TableName: this.#table,
          Item: {
            ...keyOf('incident', incident.id),
            incident: { S: JSON.stringify(incident) },
            version: { N: String(version + 1) },
            expires,
          },
          ConditionExpression: version === 0 ? 'attribute_not_exists(#version)' : '#version = :version',
          ExpressionAttributeNames: { '#version': 'version' },
          ...(version !== 0 && { ExpressionAttributeValues: { ':version': { N: String(version) } } }),
        },
      },
      ...(isMoved ? [{ Delete: { TableName: this.#table, Key: key(before) } }] : []),
      ...(next === undefined ? [] : [{ Put: { TableName: this.#table, Item: { ...key(next), expires } } }]),
    ];
    return await this.#transact(items);
  }

  async dueSteps(now: Date, limit: number) {
    const items = await this.#before('step', now, limit);
    return items.flatMap((item) => {
      const [due, id] = (text(item, 'sort') ?? '').split(' ');
      return due === undefined || id === undefined ? [] : [{ id, due: new Date(due) }];
    });
  }

  async forgetStep(id: string, due: Date): Promise<void> {
    await this.#delete('step', `${due.toISOString()} ${id}`);
  }

  /** Lists items of a partition whose sort key begins with a time that has come, oldest first. */
  async #before(partition: string, now: Date, limit: number): Promise<Item[]> {
    const items: Item[] = [];
    let from: Item | undefined;
    do {
      const page: QueryCommandOutput = await this.#called(
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            KeyConditionExpression: '#partition = :partition AND #sort <= :now',
            ExpressionAttributeNames: { '#partition': 'partition', '#sort': 'sort' },
            // Behind every id of that very moment, since a space comes before this character.
            ExpressionAttributeValues: {
              ':partition': { S: partition },
              ':now': { S: `${now.toISOString()}!` },
            },
            ConsistentRead: true,
            Limit: limit - items.length,
            ...(from !== undefined && { ExclusiveStartKey: from }),
          }),
        ),
        'Query',
      );
      items.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from !== undefined && items.length < limit);
    return items;
  }

  /** Deletes a batch; what DynamoDB gives back unprocessed, it gets again. */
  async #deleteAll(requests: { DeleteRequest: { Key: Item } }[]): Promise<void> {
    let left = requests;
    for (let attempt = 0; left.length > 0 && attempt < batchAttempts; attempt += 1) {
      const answer: BatchWriteItemCommandOutput = await this.#called(
        this.#client.send(new BatchWriteItemCommand({ RequestItems: { [this.#table]: left } })),
        'BatchWriteItem',
      );
      left = (answer.UnprocessedItems?.[this.#table] ?? []) as typeof requests;
    }
  }

  async #get(partition: string, sort: string): Promise<Item | undefined> {
    const command = new GetItemCommand({
      TableName: this.#table,
      Key: keyOf(partition, sort),
      ConsistentRead: true,
    });
    return (await this.#called(this.#client.send(command), 'GetItem')).Item;
  }

  async #put(item: Item, condition: Partial<PutItemCommand['input']> = {}): Promise<boolean> {
    const command = new PutItemCommand({ TableName: this.#table, Item: item, ...condition });
    return await this.#unlessLost(this.#client.send(command), 'PutItem');
  }

  async #delete(partition: string, sort: string): Promise<void> {
    const command = new DeleteItemCommand({ TableName: this.#table, Key: keyOf(partition, sort) });
    await this.#called(this.#client.send(command), 'DeleteItem');
  }

  #transact(items: TransactWriteItem[]): Promise<boolean> {
    const command = new TransactWriteItemsCommand({ TransactItems: items });
    // Each of its actions needs the permission of its own: TransactWriteItems has none.
    return this.#unlessLost(this.#client.send(command), 'PutItem');
  }

  /** Awaits a conditional write. @returns false when its condition did not hold */
  async #unlessLost(answer: Promise<unknown>, action: string): Promise<boolean> {
    try {
      await answer;
      return true;
    } catch (error) {
      if (isLost(error)) return false;
      throw this.#explained(error, action);
    }
  }

  #called<T>(answer: Promise<T>, action: string): Promise<T> {
    return answer.catch((error: unknown) => {
      throw this.#explained(error, action);
    });
  }

  #explained(error: unknown, action: string): unknown {
    return awsError(error, { service: 'DynamoDB', action: `dynamodb:${action}`, on: this.#table });
  }
}

const keyOf = (partition: string, sort: string): Item => ({ partition: { S: partition }, sort: { S: sort } });
