import { SendTaskSuccessCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { WaitingTasks } from '../core/approval/store.ts';
import { awsError } from './aws-error.ts';

/** Answers of Step Functions about a step that does not wait any more. */
const gone: ReadonlySet<string> = new Set(['InvalidToken', 'TaskDoesNotExist', 'TaskTimedOut']);

/**
 * Steps of Step Functions that wait for a token.
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
 */
export class StepFunctionsTasks implements WaitingTasks {
  readonly #client: SFNClient;

  constructor(client: SFNClient) {
    this.#client = client;
  }

  async complete(token: string, output: object): Promise<'completed' | 'gone'> {
    try {
      await this.#client.send(
        new SendTaskSuccessCommand({ taskToken: token, output: JSON.stringify(output) }),
      );
      return 'completed';
    } catch (error) {
      if (error instanceof Error && gone.has(error.name)) return 'gone';
      throw awsError(error, {
        service: 'Step Functions',
        action: 'states:SendTaskSuccess',
        on: 'a waiting step',
      });
    }
  }
}
