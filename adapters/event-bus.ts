import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { AuditUnavailableError } from '../core/errors.ts';
import type { AnyEvent } from '../core/events/catalogue.ts';
import type { EventBus } from '../core/ports.ts';

/** Entries that EventBridge takes at once. */
const most = 10;

/**
 * EventBridge as the {@link EventBus}. One call for ten events; a part that was not accepted counts as not published.
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
    for (let from = 0; from < events.length; from += most) {
      await this.#put(events.slice(from, from + most));
    }
  }

  async #put(events: readonly AnyEvent[]): Promise<void> {
    let refused: string | undefined;
    try {
      const { Entries = [], FailedEntryCount = 0 } = await this.#client.send(
        new PutEventsCommand({
          Entries: events.map((event) => ({
            EventBusName: this.#busName,
            Source: event.source,
            DetailType: event.detailType,
            Detail: JSON.stringify(event.detail),
            Time: new Date(event.detail.metadata.time),
          })),
        }),
      );
      refused =
        FailedEntryCount > 0 ? (Entries.find((entry) => entry.ErrorCode)?.ErrorCode ?? 'unknown') : undefined;
    } catch (cause) {
      const name = cause instanceof Error ? cause.name : 'unknown error';
      throw new AuditUnavailableError(
        `event bus ${this.#busName} did not take the record (${name}); check that it exists and that this role may events:PutEvents on it`,
        { cause },
      );
    }
    if (refused !== undefined) {
      throw new AuditUnavailableError(`event bus ${this.#busName} refused a record: ${refused}`);
    }
  }
}
