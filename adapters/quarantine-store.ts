import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { QuarantineStore } from '../core/quarantine/ports.ts';
import { noQuarantine, type QuarantineState, quarantineStateSchema } from '../core/quarantine/state.ts';
import { awsError } from './aws-error.ts';

/**
 * The memory of quarantined principals, in a table with an item for each.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate
 */
export class DynamoQuarantineStore implements QuarantineStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(principal: string): Promise<{ version: number; state: QuarantineState }> {
    try {
      const { Item } = await this.#client.send(
        new GetItemCommand({
          TableName: this.#table,
          Key: { principal: { S: principal } },
          ConsistentRead: true,
        }),
      );
      if (Item === undefined) return { version: 0, state: noQuarantine };
      return {
        version: Number(Item.version?.N),
        state: quarantineStateSchema.parse(JSON.parse(Item.quarantine?.S ?? 'null')),
      };
    } catch (error) {
      throw awsError(error, this.#call('GetItem'));
    }
  }

  async replace(principal: string, version: number, state: QuarantineState): Promise<boolean> {
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: { principal: { S: principal } },
          UpdateExpression: 'SET quarantine = :quarantine, version = :next',
          ConditionExpression: version === 0 ? 'attribute_not_exists(principal)' : 'version = :version',
          ExpressionAttributeValues: {
            ':quarantine': { S: JSON.stringify(state) },
            ':next': { N: String(version + 1) },
            ...(version !== 0 && { ':version': { N: String(version) } }),
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
      throw awsError(error, this.#call('UpdateItem'));
    }
  }

  #call(action: string) {
    return { service: 'DynamoDB', action: `dynamodb:${action}`, on: this.#table };
  }
}
