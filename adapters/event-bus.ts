import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import { awsCodeOf, awsRemedies } from '../core/errors/aws.ts';
import { AuditUnavailableError, RekeyError } from '../core/errors/rekey-error.ts';
import type { AnyEvent } from '../core/events/catalogue.ts';
import type { EventBus } from '../core/ports.ts';
import { notTaken } from './aws-error.ts';
import { inBatches } from './batches.ts';

/**
 * Entries and bytes that EventBridge takes at once. Recorded in 2025, more than 256 KB were refused; its page now says 1 MB.
 */
const limits = { most: 10, bytes: 256 * 1024 };

/**
 * The {@link EventBus} on EventBridge. Calls are as few as its limits allow. Only parts that were accepted count as published.
 * EventBridge accepts events for a bus that does not exist, and loses them: `rekey doctor` looks for the bus.
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export class EventBridgeBus implements EventBus {
  readonly #client: EventBridgeClient;
  readonly #busName: string;

  constructor(client: EventBridgeClient, busName: string) {
    this.#client = client;
    this.#busName = busName;
  }

  async publish(events: readonly AnyEvent[]): Promise<void> {
    const entries = events.map((event) => this.#entry(event));
    const large = entries.find((entry) => sizeOf(entry) > limits.bytes);
    if (large !== undefined) {
      throw new RekeyError(
        'RecordTooLarge',
        `event bus ${this.#busName} takes events of at most ${limits.bytes} bytes; this "${large.DetailType}" has ${sizeOf(large)}`,
      );
    }
    for (const batch of inBatches(entries, sizeOf, limits)) {
      await this.#put(batch);
    }
  }

  #entry({ source, detailType, detail }: AnyEvent): PutEventsRequestEntry {
    return {
      EventBusName: this.#busName,
      Source: source,
      DetailType: detailType,
      Detail: JSON.stringify(detail),
      Time: new Date(detail.metadata.time),
    };
  }

  async #put(entries: readonly PutEventsRequestEntry[]): Promise<void> {
    let refused: string | undefined;
    try {
      const { Entries = [], FailedEntryCount = 0 } = await this.#client.send(
        new PutEventsCommand({ Entries: [...entries] }),
      );
      refused =
        FailedEntryCount > 0 ? (Entries.find((entry) => entry.ErrorCode)?.ErrorCode ?? 'unknown') : undefined;
    } catch (cause) {
      throw notTaken(`event bus ${this.#busName} did not take the record`, cause, 'events:PutEvents');
    }
    if (refused !== undefined) {
      const fault = awsCodeOf(refused);
      const remedy = fault === undefined ? '' : `; ${awsRemedies[fault]}`;
      throw new AuditUnavailableError(`event bus ${this.#busName} refused a record: ${refused}${remedy}`, {
        fault,
      });
    }
  }
}

/**
 * Counts the bytes of an entry as EventBridge does: its texts, and 14 for the time.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
 */
const sizeOf = ({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry): number =>
  14 + [Source, DetailType, Detail].reduce((bytes, text) => bytes + Buffer.byteLength(text), 0);
