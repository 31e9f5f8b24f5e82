import { DescribeExecutionCommand, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { RevocationStarter } from '../core/ports.ts';
import { type AwsCall, awsError, called } from './aws-error.ts';
import { executionArn } from './execution-arn.ts';

/**
 * Starts the revocation workflow. Names of executions are unique for 90 days, which is what makes a request that is
 * delivered twice do its work once.
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
export class StepFunctionsStarter implements RevocationStarter {
  readonly #client: SFNClient;
  readonly #workflowArn: string;

  constructor(client: SFNClient, workflowArn: string) {
    this.#client = client;
    this.#workflowArn = workflowArn;
  }

  async start(name: string, input: string): Promise<'started' | { readonly input: string }> {
    try {
      await this.#client.send(new StartExecutionCommand({ stateMachineArn: this.#workflowArn, name, input }));
      return 'started';
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ExecutionAlreadyExists') {
        throw awsError(error, this.#call('StartExecution'));
      }
      const known = await called(
        this.#call('DescribeExecution'),
        this.#client.send(
          new DescribeExecutionCommand({ executionArn: executionArn(this.#workflowArn, name) }),
        ),
      );
      return { input: known.input ?? '{}' };
    }
  }

  #call(action: string): AwsCall {
    return { service: 'Step Functions', action: `states:${action}`, on: this.#workflowArn };
  }
}
