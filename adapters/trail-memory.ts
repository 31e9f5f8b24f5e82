import {
  type AttributeValue,
  type DynamoDBClient,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { trailKeys } from '../core/deployed/trail.ts';
import { inTurns } from '../core/pace/in-turns.ts';
import { type AskingCall, askingCallSchema, claimSchema } from '../core/trail/attribution.ts';
import type { Claim } from '../core/trail/claim.ts';
import type { LastRead, Pair, ReadEvidence, TrailMemory } from '../core/trail/ports.ts';
import { awsError } from './aws-error.ts';

const dayMs = 24 * 60 * 60_000;
/** Time for which a half waits for the other. CloudTrail delivers within minutes, and queues keep messages for days. */
const pairDays = 30;
/** Time for which a read is known. */
const readDays = 90;
/** Bytes that a sort key may have. No name or ARN of a secret is as long. */
const longestKey = 1_024;

type Item = Readonly<Record<string, AttributeValue>>;

/**
 * The memory of a trail as one DynamoDB table with the keys `about` and `item`. All halves of a pair share a partition, and are
 * listed by a consistent read after each write, so whoever comes second sees both. Items end by themselves.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export class DynamoTrailMemory implements TrailMemory {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #now: () => number;

  constructor(client: DynamoDBClient, table: string, now: () => number = Date.now) {
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  async claim(pair: string, claim: Claim): Promise<Pair> {
    await this.#keep(pair, `claim ${claim.eventId}`, claim);
    return await this.#pair(pair);
  }

  async call(pair: string, call: AskingCall): Promise<Pair> {
    await this.#keep(pair, `call ${call.id}`, call);
    return await this.#pair(pair);
  }

  async tell(pair: string, id: string): Promise<void> {
    await this.#keep(pair, `told ${id}`, {});
  }

  async read(reads: readonly LastRead[]): Promise<void> {
    const fitting = reads.filter(
      ({ identity, secret }) =>
        Buffer.byteLength(trailKeys.readsBy(identity)) <= longestKey * 2 &&
        Buffer.byteLength(secret) <= longestKey,
    );
    await inTurns(fitting, async ({ identity, secret, time }) => {
      await this.#latest(trailKeys.readsBy(identity), secret, time);
    });
  }

  async reached(time: string): Promise<void> {
    await this.#latest(trailKeys.progress, 'until', time);
    await this.#latest(trailKeys.progress, 'since', time, 'earliest');
  }

  async readBy(identity: string): Promise<ReadEvidence> {
    const [progress, kept] = [
      await this.#query(trailKeys.progress),
      await this.#query(trailKeys.readsBy(identity)),
    ];
    const reached = (name: string) => progress.find(({ item }) => item?.S === name)?.at?.S;
    const [since, until] = [reached('since'), reached('until')];
    const oldest = new Date(this.#now() - readDays * dayMs).toISOString();
    return {
      ...(since !== undefined && { since: [since, oldest].toSorted()[1] ?? oldest }),
      ...(until !== undefined && { until }),
      // DynamoDB may take days to remove what has ended.
      reads: kept.flatMap(({ item, at }) =>
        item?.S !== undefined && at?.S !== undefined && at.S >= oldest
          ? [{ secret: item.S, time: at.S }]
          : [],
      ),
    };
  }

  async #keep(about: string, item: string, value: object): Promise<void> {
    try {
      await this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: {
            about: { S: about },
            item: { S: item },
            value: { S: JSON.stringify(value) },
            forgetAt: this.#after(pairDays),
          },
        }),
      );
    } catch (error) {
      throw awsError(error, this.#on('PutItem'));
    }
  }

  /** Sets the time of an item where it is the latest, or the earliest, so far. */
  async #latest(
    about: string,
    item: string,
    time: string,
    keep: 'latest' | 'earliest' = 'latest',
  ): Promise<void> {
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: { about: { S: about }, item: { S: item } },
          UpdateExpression:
            about === trailKeys.progress ? 'SET #at = :at' : 'SET #at = :at, forgetAt = :forgetAt',
          ConditionExpression: `attribute_not_exists(#at) OR #at ${keep === 'latest' ? '<' : '>'} :at`,
          ExpressionAttributeNames: { '#at': 'at' },
          ExpressionAttributeValues: {
            ':at': { S: time },
            ...(about !== trailKeys.progress && { ':forgetAt': this.#after(readDays, Date.parse(time)) }),
          },
        }),
      );
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return;
      throw awsError(error, this.#on('UpdateItem'));
    }
  }

  async #pair(about: string): Promise<Pair> {
    const items = await this.#query(about);
    const of = (kind: string) =>
      items.flatMap(({ item, value }) =>
        item?.S?.startsWith(`${kind} `) === true
          ? [{ id: item.S.slice(kind.length + 1), value: parsed(value?.S) }]
          : [],
      );
    return {
      claims: of('claim').flatMap(
        ({ value }) => (claimSchema.safeParse(value).data as Claim | undefined) ?? [],
      ),
      calls: of('call').flatMap(
        ({ value }) => (askingCallSchema.safeParse(value).data as AskingCall | undefined) ?? [],
      ),
      told: new Set(of('told').map(({ id }) => id)),
    };
  }

  async #query(about: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    try {
      const pages = paginateQuery(
        { client: this.#client },
        {
          TableName: this.#table,
          ConsistentRead: true,
          KeyConditionExpression: 'about = :about',
          ExpressionAttributeValues: { ':about': { S: about } },
        },
      );
      for await (const { Items = [] } of pages) items.push(...Items);
    } catch (error) {
      throw awsError(error, this.#on('Query'));
    }
    return items;
  }

  #after(days: number, from = this.#now()): AttributeValue {
    return { N: String(Math.ceil((from + days * dayMs) / 1_000)) };
  }

  #on(action: string) {
    return { service: 'DynamoDB', action: `dynamodb:${action}`, on: this.#table };
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
