import {
  type AttributeValue,
  DynamoDBClient,
  GetItemCommand,
  paginateScan,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import {
  type ApprovalRequest,
  approvalRequestSchema,
  type Decision,
  decisionSchema,
} from '../core/approval/request.ts';
import {
  type Announcement,
  type ApprovalRecord,
  type ApprovalStore,
  type Author,
  announcements,
} from '../core/approval/store.ts';
import { type AwsCall, awsError } from './aws-error.ts';

/** An item as it is kept. Its names are none of the words that DynamoDB reserves, but for `token`. */
type Item = Readonly<Record<string, AttributeValue>>;

/** Days for which a request can be shown after its time has ended; the audit log keeps what happened. */
const shownDays = 30;

const authorSchema = z.object({ person: approvalRequestSchema.shape.author, digest: z.string() });

/** Gives the time as the table forgets items by it: seconds since 1970. */
const forgotten = (at: Date): AttributeValue => ({ N: String(Math.ceil(at.getTime() / 1_000)) });

/**
 * The requests for approval in a table of DynamoDB. An update with a condition is what makes one answer count.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate
 */
class DynamoApprovalStore implements ApprovalStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async noteAuthor(requestId: string, { person, digest }: Author, until: Date): Promise<Author> {
    const item = await this.#update({
      key: `author ${requestId}`,
      set: 'author = if_not_exists(author, :author), forgetAt = if_not_exists(forgetAt, :forgetAt)',
      values: { ':author': { S: JSON.stringify({ person, digest }) }, ':forgetAt': forgotten(until) },
    });
    return authorSchema.parse(JSON.parse(item?.author?.S ?? 'null'));
  }

  async author(requestId: string): Promise<Author | undefined> {
    const author = (await this.#get(`author ${requestId}`))?.author?.S;
    return author === undefined ? undefined : authorSchema.parse(JSON.parse(author));
  }

  async wait(request: ApprovalRequest, token: string): Promise<ApprovalRecord> {
    const item = await this.#update({
      key: `request ${request.id}`,
      set: 'asked = if_not_exists(asked, :asked), expiresAt = if_not_exists(expiresAt, :expiresAt), forgetAt = if_not_exists(forgetAt, :forgetAt), #token = :token',
      names: { '#token': 'token' },
      values: {
        ':asked': { S: JSON.stringify(request) },
        ':expiresAt': { S: request.expiresAt },
        ':forgetAt': forgotten(new Date(Date.parse(request.expiresAt) + shownDays * 86_400_000)),
        ':token': { S: token },
      },
    });
    return recordOf(item ?? {});
  }

  async find(requestId: string): Promise<ApprovalRecord | undefined> {
    const item = await this.#get(`request ${requestId}`);
    return item?.asked === undefined ? undefined : recordOf(item);
  }

  async list(): Promise<readonly ApprovalRecord[]> {
    const records: ApprovalRecord[] = [];
    const pages = paginateScan(
      { client: this.#client },
      {
        TableName: this.#table,
        ConsistentRead: true,
        FilterExpression: 'attribute_exists(asked)',
        ProjectionExpression: 'asked, decision, announced',
      },
    );
    try {
      for await (const { Items = [] } of pages) records.push(...Items.map(recordOf));
    } catch (error) {
      throw awsError(error, this.#call('Scan'));
    }
    return records;
  }

  async decide(requestId: string, decision: Decision): Promise<ApprovalRecord | undefined> {
    const inTime = decision.outcome === 'expired' ? 'expiresAt <= :at' : 'expiresAt > :at';
    const item = await this.#update({
      key: `request ${requestId}`,
      set: 'decision = :decision',
      condition: `attribute_exists(asked) AND attribute_not_exists(decision) AND ${inTime}`,
      values: { ':decision': { S: JSON.stringify(decision) }, ':at': { S: decision.at } },
    });
    return item && recordOf(item);
  }

  async noteAnnounced(requestId: string, what: Announcement): Promise<void> {
    await this.#update({
      key: `request ${requestId}`,
      add: 'announced :what',
      condition: 'attribute_exists(asked)',
      values: { ':what': { SS: [what] } },
    });
  }

  async noteInvited(requestId: string, name: string): Promise<void> {
    await this.#update({
      key: `request ${requestId}`,
      add: 'invited :who',
      condition: 'attribute_exists(asked)',
      values: { ':who': { SS: [name] } },
    });
  }

  async #get(key: string): Promise<Item | undefined> {
    const read = new GetItemCommand({
      TableName: this.#table,
      Key: { id: { S: key } },
      ConsistentRead: true,
    });
    try {
      return (await this.#client.send(read)).Item;
    } catch (error) {
      throw awsError(error, this.#call('GetItem'));
    }
  }

  /** Changes an item, and gives it as it is then; undefined where the condition did not hold. */
  async #update(change: {
    readonly key: string;
    readonly set?: string;
    readonly add?: string;
    readonly condition?: string;
    readonly names?: Record<string, string>;
    readonly values: Record<string, AttributeValue>;
  }): Promise<Item | undefined> {
    const { key, set, add, condition, names, values } = change;
    const input: UpdateItemCommandInput = {
      TableName: this.#table,
      Key: { id: { S: key } },
      UpdateExpression: set === undefined ? `ADD ${add}` : `SET ${set}`,
      ...(condition !== undefined && { ConditionExpression: condition }),
      ...(names !== undefined && { ExpressionAttributeNames: names }),
      ExpressionAttributeValues: values,
      ReturnValues: 'ALL_NEW',
    };
    try {
      return (await this.#client.send(new UpdateItemCommand(input))).Attributes ?? {};
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return undefined;
      throw awsError(error, this.#call('UpdateItem'));
    }
  }

  #call(action: string): AwsCall {
    return { service: 'DynamoDB', action: `dynamodb:${action}`, on: this.#table };
  }
}

/** Opens the store of approvals. */
export const approvalStore = (table: string, client = new DynamoDBClient({})): ApprovalStore =>
  new DynamoApprovalStore(client, table);

function recordOf({ asked, decision, announced, invited, token }: Item): ApprovalRecord {
  const made = new Set(announced?.SS ?? []);
  return {
    request: approvalRequestSchema.parse(JSON.parse(asked?.S ?? 'null')),
    ...(decision?.S !== undefined && { decision: decisionSchema.parse(JSON.parse(decision.S)) }),
    announced: new Set(announcements.filter((what) => made.has(what))),
    invited: new Set(invited?.SS ?? []),
    ...(token?.S !== undefined && { token: token.S }),
  };
}
