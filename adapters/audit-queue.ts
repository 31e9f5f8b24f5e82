import { createHash } from 'node:crypto';
import type { SendMessageBatchCommand, SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs';
import type { AnyEvent } from '../core/events/catalogue.ts';
import type { EventBus } from '../core/ports.ts';
import { notTaken } from './aws-error.ts';
import { inBatches } from './batches.ts';

/**
 * Messages that SQS takes at once, and their bytes in all. It takes 1 MiB since August 2025; what fits into less fits then,
 * too.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
const limits = { most: 10, bytes: 256 * 1024 };

/**
 * The audit log's queue, reached without the bus: for records of what has happened already and for emergencies.
 * Its messages look as EventBridge would have delivered them, so that the writer knows no difference. Its client is
 * loaded with the first record: as long as the bus works, there is none.
 * @see https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
 */
export class AuditQueue implements EventBus {
  readonly #queueUrl: string;
  readonly #config: SQSClientConfig;
  #client: SQSClient | undefined;

  /**
   * Takes the queue; the client is made when it is first used.
   * @param config - of the SDK's client; default: what the environment says
   */
  constructor(queueUrl: string, config: SQSClientConfig = {}) {
    this.#queueUrl = queueUrl;
    this.#config = config;
  }

  async publish(events: readonly AnyEvent[]): Promise<void> {
    if (events.length === 0) {
      return;
    }
    // https://sqs.<region>.amazonaws.com/<account>/<name>
    const account = new URL(this.#queueUrl).pathname.split('/').at(-2) ?? 'unknown';
    const { SQSClient, SendMessageBatchCommand } = await import('./lazy-sqs.ts');
    this.#client ??= new SQSClient(this.#config);
    const region = await this.#client.config.region();
    const bodies = events.map((event) => asDelivered(event, account, region));
    for (const batch of inBatches(bodies, (body) => Buffer.byteLength(body), limits)) {
      const Entries = batch.map((body, index) => ({
        Id: String(index),
        MessageBody: body,
        MessageGroupId: 'audit',
        MessageDeduplicationId: createHash('sha256').update(body).digest('hex'),
      }));
      await this.#send(this.#client, new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries }));
    }
  }

  async #send(client: SQSClient, command: SendMessageBatchCommand): Promise<void> {
    const what = `audit queue ${this.#queueUrl} did not take the record`;
    const { Failed = [] } = await client.send(command).catch((cause: unknown) => {
      throw notTaken(what, cause, 'sqs:SendMessage');
    });
    const [failed] = Failed;
    if (failed !== undefined) {
      throw notTaken(what, { name: failed.Code ?? 'unknown', message: '' }, 'sqs:SendMessage');
    }
  }
}

/** Writes the message that EventBridge makes of an event; its time is in whole seconds. */
function asDelivered({ source, detailType, detail }: AnyEvent, account: string, region: string): string {
  const { id, time } = detail.metadata;
  return JSON.stringify({
    version: '0',
    id,
    'detail-type': detailType,
    source,
    account,
    time: `${new Date(time).toISOString().slice(0, 19)}Z`,
    region,
    resources: [],
    detail,
  });
}

/**
 * Makes a bus that hands over to `second` what `first` does not take.
 * @param onFallback - told each time the first one failed, so that it is counted and alarmed
 * @throws AuditUnavailableError when neither takes it
 */
export function withFallback(
  first: EventBus,
  second: EventBus,
  onFallback: (error: unknown) => void,
): EventBus {
  return {
    async publish(events) {
      try {
        await first.publish(events);
      } catch (error) {
        onFallback(error);
        await second.publish(events);
      }
    },
  };
}
