import { type AttributeValue, type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { PaceTable } from '../core/pace/token-bucket.ts';
import { awsError } from './aws-error.ts';

/**
 * Time for which the number of a bucket is kept after its last start, in seconds. It is longer than any emergency: a bucket
 * that is forgotten begins full again.
 */
const keptSeconds = 7 * 24 * 60 * 60;

/**
 * The numbers of buckets in a DynamoDB table, one item for each bucket. Both writes are conditional, so workers that come
 * at once are put in a row by DynamoDB. Its role needs `dynamodb:UpdateItem` on the table alone.
 *
 * One item takes about 1,000 writes a second, far more than any pace that is kept here. A call that the SDK repeats because
 * its answer was lost may take a second start; that one goes unused, and none is given twice.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export class DynamoPaceTable implements PaceTable {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #key: (name: string) => Record<string, AttributeValue>;

  /**
   * Takes the table that holds the numbers.
   * @param table - name of a table whose time to live is the attribute `forgetAt`
   * @param key - key of the item of a bucket. @default `pk` is `pace#<name>`
   */
  constructor(
    client: DynamoDBClient,
    table: string,
    key: (name: string) => Record<string, AttributeValue> = (name) => ({ pk: { S: `pace#${name}` } }),
  ) {
    this.#client = client;
    this.#table = table;
    this.#key = key;
  }

  async addIfLater(name: string, addUs: number, than: number): Promise<number | undefined> {
    const moved = await this.#update(name, '#fullAt = #fullAt + :by', '#fullAt > :than', addUs, than);
    return moved === undefined ? undefined : Number(moved.fullAt?.N);
  }

  async setUnlessLater(name: string, toUs: number, than: number): Promise<boolean> {
    const condition = 'attribute_not_exists(#fullAt) OR #fullAt <= :than';
    return (await this.#update(name, '#fullAt = :by', condition, toUs, than)) !== undefined;
  }

  async #update(
    name: string,
    assignment: string,
    condition: string,
    by: number,
    than: number,
  ): Promise<Record<string, AttributeValue> | undefined> {
    try {
      const { Attributes = {} } = await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: this.#key(name),
          UpdateExpression: `SET ${assignment}, #forgetAt = :forgetAt`,
          ConditionExpression: condition,
          ExpressionAttributeNames: { '#fullAt': 'fullAt', '#forgetAt': 'forgetAt' },
          ExpressionAttributeValues: {
            ':by': { N: String(by) },
            ':than': { N: String(than) },
            ':forgetAt': { N: String(Math.floor(than / 1_000_000) + keptSeconds) },
          },
          ReturnValues: 'UPDATED_NEW',
        }),
      );
      return Attributes;
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return undefined;
      throw awsError(error, { service: 'DynamoDB', action: 'dynamodb:UpdateItem', on: this.#table });
    }
  }
}
