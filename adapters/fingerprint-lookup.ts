import {
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { LookupLimits, Match } from '../core/fingerprint/lookup.ts';
import type { FingerprintLookup, LookupBudget } from '../core/fingerprint/store.ts';
import { inTurns } from '../core/pace/in-turns.ts';
import { awsError, called } from './aws-error.ts';
import {
  type Item,
  keyOf,
  macItemSchema,
  macPartition,
  secretItemSchema,
  secretPartition,
  secretsPartition,
  versionItemSchema,
} from './fingerprint-items.ts';

/** Versions that one value is found in, at most. */
const mostMatches = 50;

/**
 * The index of fingerprints, for the function that looks values up. It asks for points alone: DynamoDB gives nothing to whoever
 * does not know a signed hash.
 */
export class DynamoFingerprintLookup implements FingerprintLookup {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async find(mac: string): Promise<readonly Omit<Match, 'candidate'>[]> {
    const { Items = [] } = await called(
      { service: 'DynamoDB', action: 'dynamodb:Query', on: this.#table },
      this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: macPartition(mac) } },
          Limit: mostMatches,
        }),
      ),
    );
    const found = await inTurns(Items, async (item) => {
      const { secretArn, versionId, parts } = macItemSchema.parse(item);
      const [version, secret] = await Promise.all([
        this.#get(secretPartition(secretArn), versionId),
        this.#get(secretsPartition, secretArn),
      ]);
      // A run that ended early leaves values without their version; the next one completes it.
      if (version === undefined || secret === undefined) return [];
      const { labels, seenAt, created, replacedBy } = versionItemSchema.parse(version);
      const { name, type, strategy, owner, goneBy } = secretItemSchema.parse(secret);
      return [
        {
          secretArn,
          secretName: name,
          secretType: type,
          strategy,
          owner,
          versionId,
          parts,
          labels,
          seenAt: seenAt.toISOString(),
          ...(created !== undefined && { created: created.toISOString() }),
          ...(replacedBy !== undefined && { replacedBy: replacedBy.toISOString() }),
          ...(goneBy !== undefined && { goneBy: goneBy.toISOString() }),
        },
      ];
    });
    return found.flat();
  }

  async #get(pk: string, sk: string): Promise<Item | undefined> {
    const { Item } = await called(
      { service: 'DynamoDB', action: 'dynamodb:GetItem', on: this.#table },
      this.#client.send(new GetItemCommand({ TableName: this.#table, Key: keyOf(pk, sk) })),
    );
    return Item;
  }
}

const minuteMs = 60_000;
const minutesPerHour = 60;

/**
 * Counts lookups in a table of its own. Each hour has an item, with a number for each of its minutes. The number and the limit
 * are compared where they are kept, so callers that come at once take no more than there is.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate
 */
export class DynamoLookupBudget implements LookupBudget {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #limits: LookupLimits;

  constructor(client: DynamoDBClient, table: string, limits: LookupLimits) {
    this.#client = client;
    this.#table = table;
    this.#limits = limits;
  }

  async take(candidates: number, now: Date): Promise<'taken' | { readonly retryAfterSeconds: number }> {
    const minute = Math.floor(now.getTime() / minuteMs);
    const hour = Math.floor(minute / minutesPerHour);
    const { perMinute, perHour } = this.#limits;
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: { hour: { N: String(hour) } },
          UpdateExpression: 'ADD #all :count, #minute :count SET forget = :forget',
          ConditionExpression:
            '(attribute_not_exists(#all) OR #all <= :hourLeft) AND (attribute_not_exists(#minute) OR #minute <= :minuteLeft)',
          ExpressionAttributeNames: { '#all': 'lookups', '#minute': `minute${minute % minutesPerHour}` },
          ExpressionAttributeValues: {
            ':count': { N: String(candidates) },
            ':hourLeft': { N: String(perHour - candidates) },
            ':minuteLeft': { N: String(perMinute - candidates) },
            ':forget': { N: String((hour + 2) * 3_600) },
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return 'taken';
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') {
        throw awsError(error, { service: 'DynamoDB', action: 'dynamodb:UpdateItem', on: this.#table });
      }
      const { Item } = error as Error & { readonly Item?: Item };
      const usedUp = Number(Item?.lookups?.N ?? 0) > perHour - candidates;
      const again = usedUp ? (hour + 1) * minutesPerHour : minute + 1;
      return { retryAfterSeconds: Math.max(1, Math.ceil((again * minuteMs - now.getTime()) / 1_000)) };
    }
  }
}
