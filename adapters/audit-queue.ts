import { createHash } from 'node:crypto';
import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs';
import { AuditUnavailableError } from '../core/errors.ts';
import type { AnyEvent } from '../core/events/catalogue.ts';
import type { EventBus } from '../core/ports.ts';

/** Messages that SQS takes at once. */
const most = 10;

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

  /** @param config - of the SDK's client; default: what the environment says */
  constructor(queueUrl: string, config: SQSClientConfig = {}) {
    this.#queueUrl = queueUrl;
    this.#config = config;
  }

  async publish(events: readonly AnyEvent[]): Promise<void> {
    for (let from = 0; from < events.length; from += most) {
      await this.#send(events.slice(from, from + most));
    }
  }

  async #send(events: readonly AnyEvent[]): Promise<void> {
    // https://sqs.<region>.amazonaws.com/<account>/<name>
    const account = new URL(this.#queueUrl).pathname.split('/').at(-2) ?? 'unknown';
    const { SQSClient, SendMessageBatchCommand } = await import('./sqs-client.ts');
    this.#client ??= new SQSClient(this.#config);
    const region = await this.#client.config.region();
    try {
      const { Failed = [] } = await this.#client.send(
        new SendMessageBatchCommand({
          QueueUrl: this.#queueUrl,
          Entries: events.map(({ source, detailType, detail }, index) => {
            const { id, time } = detail.metadata;
            const body = JSON.stringify({
              version: '0',
              id,
              'detail-type': detailType,
              source,
              account,
              time,
              region,
              resources: [],
              detail,
            });
            return {
              Id: String(index),
              MessageBody: body,
              MessageGroupId: 'audit',
              MessageDeduplicationId: createHash('sha256').update(body).digest('hex'),
            };
          }),
        }),
      );
      if (Failed.length > 0) {
        throw new Error(Failed[0]?.Code ?? 'refused');
      }
    } catch (cause) {
      const name = cause instanceof Error ? cause.name : 'unknown error';
      throw new AuditUnavailableError(
        `audit queue ${this.#queueUrl} did not take the record (${name}); check that it exists and that this role may sqs:SendMessage on it`,
        { cause },
      );
    }
  }
}

/**
 * A bus that hands over to `second` what `first` does not take.
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
