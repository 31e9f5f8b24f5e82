import { type CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import type { Logs } from '../../core/operator-ports.ts';

/** The log groups of CloudWatch Logs. */
export class CloudWatchLogs implements Logs {
  readonly #client: CloudWatchLogsClient;

  constructor(client: CloudWatchLogsClient) {
    this.#client = client;
  }

  /**
   * Reads all pages of what is found. A page may be empty and name a next one, as long as not everything was searched.
   * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
   */
  async find(logGroupName: string, text: string, since: Date): Promise<readonly string[]> {
    const pages = paginateFilterLogEvents(
      { client: this.#client },
      { logGroupName, startTime: since.getTime(), filterPattern: `"${text}"` },
    );
    const messages: string[] = [];
    for await (const { events = [] } of pages) {
      messages.push(...events.flatMap(({ message }) => (message === undefined ? [] : [message])));
    }
    return messages;
  }
}
