import { type EventBridgeClient, ListRulesCommand, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { BusRule, Rules } from '../../core/operator-ports.ts';

/** The rules of event buses. */
export class EventBridgeRules implements Rules {
  readonly #client: EventBridgeClient;

  constructor(client: EventBridgeClient) {
    this.#client = client;
  }

  async list(bus: string): Promise<readonly BusRule[] | undefined> {
    const rules: BusRule[] = [];
    let next: string | undefined;
    do {
      const page = await this.#client
        .send(new ListRulesCommand({ EventBusName: bus, ...(next !== undefined && { NextToken: next }) }))
        .catch((error: Error) => {
          if (error.name === 'ResourceNotFoundException') {
            return undefined;
          }
          throw error;
        });
      if (page === undefined) {
        return undefined;
      }
      for (const { Name = '', State, ManagedBy } of page.Rules ?? []) {
        if (ManagedBy === undefined) {
          rules.push({ name: Name, enabled: State !== 'DISABLED' });
        }
      }
      next = page.NextToken;
    } while (next !== undefined);
    return rules;
  }

  /**
   * Tries the permission with a detail that is not JSON. EventBridge checks the permission first and then refuses the entry as
   * `MalformedDetail`.
   * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
   */
  async tryPublish(bus: string, source: string, detailType: string): Promise<void> {
    const { Entries = [] } = await this.#client.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: bus,
            Source: source,
            DetailType: detailType,
            Detail: 'not JSON: a permission check',
          },
        ],
      }),
    );
    const code = Entries[0]?.ErrorCode;
    if (code === 'AccessDeniedException' || code?.startsWith('NotAuthorizedFor')) {
      const denied = new Error(Entries[0]?.ErrorMessage ?? code);
      denied.name = 'AccessDeniedException';
      throw denied;
    }
  }
}
