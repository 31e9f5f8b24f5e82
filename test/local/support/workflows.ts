import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  DescribeMapRunCommand,
  type DescribeMapRunOutput,
  type ExecutionListItem,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { expect } from '@jest/globals';
import type { LocalCloud } from '../../../local/emulator/cloud.ts';
import { eventually } from '../../../local/tour/eventually.ts';
import { allow } from './stack.ts';

/** What a state machine with a distributed Map must be granted for that. */
export const ownExecutions = [
  allow('states:StartExecution', 'arn:aws:states:*:*:stateMachine:*'),
  allow(['states:DescribeExecution', 'states:StopExecution'], 'arn:aws:states:*:*:execution:*'),
] as const;

export const pass = { Pass: { Type: 'Pass', End: true } };

/** A state machine that is one distributed Map, whose children begin with the first of `states`. */
export function distributed(states: Readonly<Record<string, object>>, more: object = {}) {
  const ItemProcessor = {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
    StartAt: Object.keys(states)[0],
    States: states,
  };
  return { StartAt: 'Map', States: { Map: { Type: 'Map', ItemProcessor, End: true, ...more } } };
}

/** The state machines of a test, and what Step Functions says of their executions. */
export class Workflows {
  readonly sfn: SFNClient;
  /** Number of the last machine; its name is `map-<number>`. */
  machines = 0;

  constructor(cloud: LocalCloud) {
    this.sfn = new SFNClient(cloud.clientOptions());
  }

  async start(definition: object, input: unknown, roleArn: string | undefined): Promise<string> {
    this.machines += 1;
    const { stateMachineArn } = await this.sfn.send(
      new CreateStateMachineCommand({
        name: `map-${this.machines}`,
        roleArn,
        definition: JSON.stringify(definition),
      }),
    );
    const { executionArn = '' } = await this.sfn.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
    );
    return executionArn;
  }

  async ended(executionArn: string): Promise<DescribeExecutionOutput> {
    return await eventually('the execution to end', async () => {
      const found = await this.sfn.send(new DescribeExecutionCommand({ executionArn }));
      return found.status === 'RUNNING' ? undefined : found;
    });
  }

  async run(definition: object, input: unknown, roleArn: string | undefined) {
    const execution = await this.ended(await this.start(definition, input, roleArn));
    return {
      ...execution,
      result: execution.output === undefined ? undefined : JSON.parse(execution.output),
    };
  }

  async mapRun(executionArn: string | undefined): Promise<DescribeMapRunOutput> {
    const { mapRuns = [] } = await this.sfn.send(new ListMapRunsCommand({ executionArn }));
    expect(mapRuns).toHaveLength(1);
    return await this.sfn.send(new DescribeMapRunCommand({ mapRunArn: mapRuns[0]?.mapRunArn }));
  }

  async children(mapRunArn: string | undefined): Promise<ExecutionListItem[]> {
    const { executions = [] } = await this.sfn.send(new ListExecutionsCommand({ mapRunArn }));
    return executions;
  }

  /** Lists the types of the events of an execution. */
  async types(executionArn: string | undefined): Promise<string[]> {
    const { events = [] } = await this.sfn.send(new GetExecutionHistoryCommand({ executionArn }));
    return events.map(({ type }) => type ?? '');
  }
}
