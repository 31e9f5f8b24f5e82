import { type DynamoDBClient, paginateQuery, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { OutcomeStore, SecretOutcome } from '../core/revocation/ports.ts';
import { awsError } from './aws-error.ts';

const outcomeSchema = z.object({
  secretName: z.string(),
  outcome: z.enum(['succeeded', 'unproven', 'failed']),
  refusedAt: z.string().optional(),
  error: z.string().optional(),
});

/** Days for which the state of a plan is kept; the audit log keeps what happened. */
const keptDays = 90;

/** The outcomes for the secrets of plans, in a table with an item for each secret. */
export class DynamoOutcomeStore implements OutcomeStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async note(requestId: string, outcome: SecretOutcome): Promise<void> {
    const forget = Math.ceil(Date.now() / 1_000) + keptDays * 86_400;
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: { requestId: { S: requestId }, secretName: { S: outcome.secretName } },
          UpdateExpression: 'SET outcome = :outcome, forgetAt = :forgetAt',
          ExpressionAttributeValues: {
            ':outcome': { S: JSON.stringify(outcome) },
            ':forgetAt': { N: String(forget) },
          },
        }),
      );
    } catch (error) {
      throw awsError(error, this.#call('UpdateItem'));
    }
  }

  async list(requestId: string): Promise<readonly SecretOutcome[]> {
    const outcomes: SecretOutcome[] = [];
    const pages = paginateQuery(
      { client: this.#client },
      {
        TableName: this.#table,
        ConsistentRead: true,
        KeyConditionExpression: 'requestId = :request',
        FilterExpression: 'attribute_exists(outcome)',
        ExpressionAttributeValues: { ':request': { S: requestId } },
        ProjectionExpression: 'outcome',
      },
    );
    try {
      for await (const { Items = [] } of pages) {
        outcomes.push(
          ...Items.map(
            ({ outcome }) => outcomeSchema.parse(JSON.parse(outcome?.S ?? 'null')) as SecretOutcome,
          ),
        );
      }
    } catch (error) {
      throw awsError(error, this.#call('Query'));
    }
    return outcomes;
  }

  #call(action: string) {
    return { service: 'DynamoDB', action: `dynamodb:${action}`, on: this.#table };
  }
}
