import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  type ExecutionStatus,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { Execution, ExecutionStage, Workflows } from '../../core/operator-ports.ts';
import { executionArn } from '../execution-arn.ts';

const statuses: Readonly<Record<ExecutionStatus, Execution['status']>> = {
  RUNNING: 'running',
  PENDING_REDRIVE: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'timed out',
  ABORTED: 'aborted',
};

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;

/**
 * Executions of Step Functions.
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
 */
export class StepFunctionsWorkflows implements Workflows {
  readonly #client: SFNClient;

  constructor(client: SFNClient) {
    this.#client = client;
  }

  async execution(workflowArn: string, name: string): Promise<Execution | undefined> {
    try {
      const found = await this.#client.send(
        new DescribeExecutionCommand({ executionArn: executionArn(workflowArn, name) }),
      );
      return {
        status: statuses[found.status ?? 'RUNNING'],
        started: found.startDate ?? new Date(0),
        ...(found.stopDate !== undefined && { stopped: found.stopDate }),
        ...(found.output !== undefined && { output: parsed(found.output) }),
        ...(found.error !== undefined && { error: { code: found.error, message: messageOf(found.cause) } }),
      };
    } catch (error) {
      if (isNamed(error, 'ExecutionDoesNotExist')) {
        return undefined;
      }
      throw error;
    }
  }

  async stages(workflowArn: string, name: string): Promise<readonly ExecutionStage[]> {
    const stages: { name: string; entered: Date; left?: Date }[] = [];
    let next: string | undefined;
    do {
      const page = await this.#client.send(
        new GetExecutionHistoryCommand({
          executionArn: executionArn(workflowArn, name),
          maxResults: 1_000,
          ...(next !== undefined && { nextToken: next }),
        }),
      );
      for (const event of page.events ?? []) {
        take(stages, event);
      }
      next = page.nextToken;
    } while (next !== undefined);
    return stages;
  }

  async active(workflowArn: string): Promise<boolean> {
    try {
      const { status } = await this.#client.send(
        new DescribeStateMachineCommand({ stateMachineArn: workflowArn }),
      );
      return status === 'ACTIVE';
    } catch (error) {
      if (isNamed(error, 'StateMachineDoesNotExist')) {
        return false;
      }
      throw error;
    }
  }
}

function take(stages: { name: string; entered: Date; left?: Date }[], event: HistoryEvent): void {
  const at = event.timestamp ?? new Date(0);
  const entered = event.stateEnteredEventDetails?.name;
  if (entered !== undefined) {
    stages.push({ name: entered, entered: at });
  }
  const left = event.stateExitedEventDetails?.name;
  const stage = stages.findLast((one) => one.name === left && one.left === undefined);
  if (stage !== undefined) {
    stage.left = at;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads the message of a task's cause, which Lambda reports as JSON with an `errorMessage`. */
function messageOf(cause = 'no cause given'): string {
  const value = parsed(cause);
  return typeof value === 'object' && value !== null && 'errorMessage' in value
    ? String(value.errorMessage)
    : cause;
}
