import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type {
  FingerprintIndex,
  IndexedSecret,
  IndexedVersion,
  SignedValue,
  Standing,
} from '../core/fingerprint/store.ts';
import { inTurns } from '../core/pace/in-turns.ts';
import { awsError, called } from './aws-error.ts';
import {
  forgetAttribute,
  type Item,
  keyOf,
  macItem,
  macPartition,
  secretItem,
  secretItemSchema,
  secretPartition,
  secretsPartition,
  standingAttributes,
  versionItem,
  versionItemSchema,
} from './fingerprint-items.ts';

function secretIn(item: Item): IndexedSecret {
  const { sk: arn, goneBy, ...facts } = secretItemSchema.parse(item);
  return { arn, ...facts, ...(goneBy !== undefined && { goneBy }) };
}

/**
 * The index of fingerprints as a DynamoDB table, for the function that fills it. See `fingerprint-items.ts` for what is in it.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
 */
export class DynamoFingerprintIndex implements FingerprintIndex {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async secret(secretArn: string): Promise<IndexedSecret | undefined> {
    const { Item } = await called(
      { service: 'DynamoDB', action: 'dynamodb:GetItem', on: this.#table },
      this.#client.send(
        new GetItemCommand({
          TableName: this.#table,
          Key: keyOf(secretsPartition, secretArn),
          ConsistentRead: true,
        }),
      ),
    );
    return Item === undefined ? undefined : secretIn(Item);
  }

  async secrets(): Promise<readonly IndexedSecret[]> {
    return (await this.#partition(secretsPartition)).map(secretIn);
  }

  async versions(secretArn: string): Promise<readonly IndexedVersion[]> {
    return (await this.#partition(secretPartition(secretArn))).map((item) => {
      const { sk, labels, seenAt, macs, created, replacedBy, forget } = versionItemSchema.parse(item);
      return {
        versionId: sk,
        labels,
        seenAt,
        macs,
        ...(created !== undefined && { created }),
        ...(replacedBy !== undefined && { replacedBy }),
        ...(forget !== undefined && { forgetAt: forget }),
      };
    });
  }

  async note(secret: IndexedSecret, forgetAt?: Date): Promise<void> {
    await this.#put(secretItem(secret, forgetAt));
  }

  async add(
    secretArn: string,
    version: Omit<IndexedVersion, 'macs'>,
    values: readonly SignedValue[],
  ): Promise<void> {
    const { versionId, forgetAt } = version;
    await inTurns(values, ({ mac, parts }) =>
      this.#put(macItem(mac, { secretArn, versionId, parts }, forgetAt)),
    );
    const item = versionItem(secretArn, { ...version, macs: values.map(({ mac }) => mac) });
    // Another run may have added it meanwhile, and a later one may have seen other labels.
    await this.#unlessNewer(
      new PutItemCommand({
        TableName: this.#table,
        Item: item,
        ConditionExpression: 'attribute_not_exists(pk) OR seenAt < :seenAt',
        ExpressionAttributeValues: { ':seenAt': { S: version.seenAt.toISOString() } },
      }),
    );
  }

  async relabel(secretArn: string, { versionId, macs }: IndexedVersion, standing: Standing): Promise<void> {
    const { labels, seenAt, replacedBy, forget } = {
      replacedBy: undefined,
      [forgetAttribute]: undefined,
      ...standingAttributes(standing),
    };
    const set = ['labels = :labels', 'seenAt = :seenAt'];
    const remove: string[] = [];
    if (replacedBy === undefined) remove.push('replacedBy');
    else set.push('replacedBy = :replacedBy');
    if (forget === undefined) remove.push(forgetAttribute);
    else set.push(`${forgetAttribute} = :forget`);
    const noted = await this.#unlessNewer(
      new UpdateItemCommand({
        TableName: this.#table,
        Key: keyOf(secretPartition(secretArn), versionId),
        UpdateExpression: `SET ${set.join(', ')}${remove.length === 0 ? '' : ` REMOVE ${remove.join(', ')}`}`,
        ConditionExpression: 'attribute_exists(pk) AND seenAt < :seenAt',
        ExpressionAttributeValues: {
          ':labels': labels,
          ':seenAt': seenAt,
          ...(replacedBy !== undefined && { ':replacedBy': replacedBy }),
          ...(forget !== undefined && { ':forget': forget }),
        },
      }),
    );
    if (!noted) return;
    await inTurns(macs, (mac) =>
      this.#unlessNewer(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: keyOf(macPartition(mac), `${secretArn}#${versionId}`),
          // DynamoDB may have forgotten it a moment ago, and an update would make it anew without its facts.
          ConditionExpression: 'attribute_exists(pk)',
          ...(forget === undefined
            ? { UpdateExpression: `REMOVE ${forgetAttribute}` }
            : {
                UpdateExpression: `SET ${forgetAttribute} = :forget`,
                ExpressionAttributeValues: { ':forget': forget },
              }),
        }),
      ),
    );
  }

  /** Writes an item unless its condition says otherwise. @returns false when it does */
  async #unlessNewer(command: PutItemCommand | UpdateItemCommand): Promise<boolean> {
    try {
      // The client's overloads take one kind of command each.
      await (command instanceof PutItemCommand ? this.#client.send(command) : this.#client.send(command));
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
      const action = command instanceof PutItemCommand ? 'dynamodb:PutItem' : 'dynamodb:UpdateItem';
      throw awsError(error, { service: 'DynamoDB', action, on: this.#table });
    }
  }

  async #put(item: Item): Promise<void> {
    await called(
      { service: 'DynamoDB', action: 'dynamodb:PutItem', on: this.#table },
      this.#client.send(new PutItemCommand({ TableName: this.#table, Item: item })),
    );
  }

  async #partition(pk: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    try {
      const pages = paginateQuery(
        { client: this.#client },
        {
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: pk } },
          // What this function wrote a moment ago counts.
          ConsistentRead: true,
        },
      );
      for await (const { Items = [] } of pages) items.push(...Items);
    } catch (error) {
      throw awsError(error, { service: 'DynamoDB', action: 'dynamodb:Query', on: this.#table });
    }
    return items;
  }
}
