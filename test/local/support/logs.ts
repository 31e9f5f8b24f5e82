import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { LocalCloud } from '../../../local/emulator/cloud.ts';

/** The lines of a log group that contain `text`; none while the group does not exist. */
export async function logLines(cloud: LocalCloud, logGroupName: string, text: string): Promise<string[]> {
  const logs = new CloudWatchLogsClient(cloud.clientOptions());
  const found: string[] = [];
  let nextToken: string | undefined;
  do {
    try {
      const page = await logs.send(
        new FilterLogEventsCommand({
          logGroupName,
          filterPattern: `"${text}"`,
          ...(nextToken && { nextToken }),
        }),
      );
      found.push(...(page.events ?? []).map((event) => event.message ?? ''));
      nextToken = page.nextToken;
    } catch (error) {
      if ((error as Error).name === 'ResourceNotFoundException') return [];
      throw error;
    }
  } while (nextToken);
  return found;
}
