import { rm } from 'node:fs/promises';
import {
  DeleteFunctionConcurrencyCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { StepFunctionsWorkflows } from '../../adapters/operator/workflows.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { allow, deployStack, nodeFunction, role, type TestStack } from './support/stack.ts';

const code = `
exports.handler = async (event) => {
  if (event.hang) await new Promise((r) => setTimeout(r, 30000));
  if (event.fail) { const e = new Error('refused'); e.name = 'Refused'; throw e; }
  return { text: 'x'.repeat(event.size ?? 1) };
};`;

/** Recorded on AWS by LocalStack (2023 to 2025): tests/aws/services/stepfunctions/**\/*.snapshot.json. */
describe('Step Functions as recorded', () => {
  let directory: string;
  let cloud: LocalCloud;
  let sfn: SFNClient;
  let stack: TestStack;
  let machines = 0;

  beforeAll(async () => {
    directory = await newFolder('histories');
    cloud = await startCloud({ directory });
    sfn = new SFNClient(cloud.clientOptions());
    stack = await deployStack(cloud, 'histories', {
      FunctionRole: role('lambda.amazonaws.com'),
      Function: nodeFunction(code, 'FunctionRole'),
      MachineRole: role('states.amazonaws.com', [allow('lambda:InvokeFunction')]),
    });
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const service = (payload: object, more: object = {}) => ({
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: stack.outputs.FunctionArn, Payload: payload },
    End: true,
    ...more,
  });
  const direct = (payload: object, more: object = {}) => ({
    Type: 'Task',
    Resource: stack.outputs.FunctionArn,
    Parameters: payload,
    End: true,
    ...more,
  });
  const caught = { Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Caught' }] };

  async function run(task: object, machine: object = {}) {
    machines += 1;
    const States = { Task: task, Caught: { Type: 'Pass', End: true } };
    const { stateMachineArn } = await sfn.send(
      new CreateStateMachineCommand({
        name: `recorded-${machines}`,
        roleArn: stack.outputs.MachineRoleArn,
        definition: JSON.stringify({ StartAt: 'Task', States, ...machine }),
      }),
    );
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, name: 'execution', input: '{}' }),
    );
    const execution = await eventually('the end', async () => {
      const found = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      return found.status === 'RUNNING' ? undefined : found;
    });
    const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn }));
    return { ...execution, events, types: events.map(({ type }) => type ?? '') };
  }

  test('a task through the service is scheduled, started, and ended', async () => {
    const { types, events } = await run(service({}));
    expect(types).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    expect(events[3]?.taskStartedEventDetails).toEqual({ resourceType: 'lambda', resource: 'invoke' });
    expect(events[1]?.stateEnteredEventDetails?.inputDetails).toEqual({ truncated: false });
    expect(events[4]?.taskSucceededEventDetails?.outputDetails).toEqual({ truncated: false });
    const failed = await run(service({ fail: true }));
    expect(failed.types).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskFailed',
      'ExecutionFailed',
    ]);
  });

  test('a function that is named by its ARN has events of its own', async () => {
    const { types, events } = await run(direct({ mark: 1 }));
    expect(types).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    expect(events[2]?.lambdaFunctionScheduledEventDetails).toMatchObject({
      resource: stack.outputs.FunctionArn,
      input: '{"mark": 1}',
    });
    const failed = await run(direct({ fail: true }, caught));
    expect(failed.types.slice(2, 6)).toEqual([
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionFailed',
      'TaskStateExited',
    ]);
    expect(failed.events[4]?.lambdaFunctionFailedEventDetails?.error).toBe('Refused');
  });

  test('a task that runs out of its time is timed out, and has no cause', async () => {
    const through = await run(service({ hang: true }, { TimeoutSeconds: 1, ...caught }));
    expect(through.types[4]).toBe('TaskTimedOut');
    expect(through.events[4]?.taskTimedOutEventDetails).toMatchObject({ error: 'States.Timeout' });
    expect(through.events[4]?.taskTimedOutEventDetails).not.toHaveProperty('cause');
    expect(JSON.parse(through.output ?? '{}').error).toEqual({ Error: 'States.Timeout', Cause: '' });
    const own = await run(direct({ hang: true }, { TimeoutSeconds: 1 }));
    expect(own.types[4]).toBe('LambdaFunctionTimedOut');
  });

  test('an execution that runs out of its time has neither error nor cause', async () => {
    const execution = await run(service({ hang: true }), { TimeoutSeconds: 1 });
    expect(execution).toMatchObject({ status: 'TIMED_OUT' });
    expect(execution.error).toBeUndefined();
    expect(execution.cause).toBeUndefined();
    const workflows = new StepFunctionsWorkflows(sfn);
    const found = await workflows.execution(execution.stateMachineArn ?? '', 'execution');
    expect(found?.status).toBe('timed out');
    expect(found).not.toHaveProperty('error');
  });

  // Recorded 2024-03: test_states_errors. The developer guide says that States.ALL can't catch it.
  test('a result over 256 KiB is refused; States.ALL catches that, or by the guide does not', async () => {
    const big = service({ size: 300_000 }, caught);
    const taken = await run(big);
    expect(taken.status).toBe('SUCCEEDED');
    expect(JSON.parse(taken.output ?? '{}').error.Error).toBe('States.DataLimitExceeded');
    await cloud.read('data-limit', 'terminal');
    expect(await run(big)).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
    await cloud.read('data-limit', 'caught');
    expect((await run(service({ size: 200_000 }))).status).toBe('SUCCEEDED');
  });

  // Recorded 2024-03: test_catch_states_runtime.
  test('a runtime error is caught not even by its name', async () => {
    const Catch = [{ ErrorEquals: ['States.Runtime'], Next: 'Caught' }];
    const task = { ...service({}), Parameters: { 'FunctionName.$': '$.nowhere' }, Catch };
    expect(await run(task)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });

  test.each(['Lambda.TooManyRequestsException', 'Lambda.Unknown'])(
    'a throttled task ends as %s, which is not recorded: both are tried',
    async (name) => {
      await cloud.read('task-throttled', name);
      const lambda = new LambdaClient(cloud.clientOptions());
      const FunctionName = stack.outputs.FunctionRef;
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
      try {
        const { output } = await run(service({}, caught));
        expect(JSON.parse(output ?? '{}').error.Error).toBe(name);
      } finally {
        await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
        await cloud.read('task-throttled', 'Lambda.TooManyRequestsException');
      }
    },
  );
});
