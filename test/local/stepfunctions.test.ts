import { rm } from 'node:fs/promises';
import {
  DeleteFunctionConcurrencyCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  ListMapRunsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { allow, deployStack, nodeFunction, role, type TestStack } from './support/stack.ts';

const code = `
let calls = 0;
exports.handler = async (event) => {
  calls += 1;
  if (event.hang) await new Promise((r) => setTimeout(r, 30000));
  if (event.exit) process.exit(1);
  if (event.failUntil && calls < event.failUntil) { const e = new Error('not yet'); e.name = 'NotYet'; throw e; }
  if (event.fail) { const e = new Error('refused'); e.name = 'Refused'; throw e; }
  const answer = { calls, mark: event.mark };
  if (event.failUntil) calls = 0;
  return answer;
};`;

const arn = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });

describe('Step Functions', () => {
  let directory: string;
  let cloud: LocalCloud;
  let sfn: SFNClient;
  let stack: TestStack;
  let machines = 0;

  beforeAll(async () => {
    directory = await newFolder('states');
    cloud = await startCloud({ directory });
    sfn = new SFNClient(cloud.clientOptions());
    stack = await deployStack(cloud, 'states', {
      FunctionRole: role('lambda.amazonaws.com'),
      Function: nodeFunction(code, 'FunctionRole'),
      Other: nodeFunction(code, 'FunctionRole'),
      Short: nodeFunction(code, 'FunctionRole', { Timeout: 1 }),
      Queue: { Type: 'AWS::SQS::Queue' },
      MachineRole: role('states.amazonaws.com', [
        allow('lambda:InvokeFunction', [arn('Function'), arn('Short')]),
        allow('secretsmanager:DescribeSecret', '*'),
        allow('states:StartExecution', 'arn:aws:states:*:*:stateMachine:*'),
        allow(['states:DescribeExecution', 'states:StopExecution'], 'arn:aws:states:*:*:execution:*'),
      ]),
    });
    const secrets = new SecretsManagerClient(cloud.clientOptions());
    await secrets.send(new CreateSecretCommand({ Name: 'known', SecretString: 'value of the secret' }));
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function machine(definition: object): Promise<string> {
    machines += 1;
    const { stateMachineArn } = await sfn.send(
      new CreateStateMachineCommand({
        name: `machine-${machines}`,
        roleArn: stack.outputs.MachineRoleArn,
        definition: JSON.stringify(definition),
      }),
    );
    return stateMachineArn ?? '';
  }

  async function ended(executionArn: string | undefined) {
    const execution = await eventually('the execution to end', async () => {
      const answer = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      return answer.status !== 'RUNNING' && answer;
    });
    return { ...execution, output: execution.output ? JSON.parse(execution.output) : undefined };
  }

  async function run(definition: object, input: object = {}) {
    const stateMachineArn = await machine(definition);
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
    );
    return await ended(executionArn);
  }

  async function history(executionArn: string | undefined): Promise<HistoryEvent[]> {
    const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
    return events ?? [];
  }

  const invoke = (name: string, payload: object, more: object = {}) => ({
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: stack.outputs[`${name}Arn`], Payload: payload },
    OutputPath: '$.Payload',
    End: true,
    ...more,
  });

  /** One task whose named errors are caught, each into a state that says which. */
  function catching(task: object, errors: readonly string[]) {
    return {
      StartAt: 'Task',
      States: {
        Task: {
          ...task,
          Catch: errors.map((error) => ({
            ErrorEquals: [error],
            ResultPath: '$.caught',
            Next: `Caught ${error}`,
          })),
        },
        ...Object.fromEntries(
          errors.map((error) => [
            `Caught ${error}`,
            { Type: 'Pass', Parameters: { by: error, 'error.$': '$.caught' }, End: true },
          ]),
        ),
      },
    };
  }

  // https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
  describe('errors', () => {
    test('Retry and Catch match the name of the error that a function throws', async () => {
      const retried = await run({
        StartAt: 'Task',
        States: {
          Task: invoke(
            'Function',
            { failUntil: 3, mark: 'x' },
            {
              Retry: [
                { ErrorEquals: ['Other'], MaxAttempts: 0 },
                { ErrorEquals: ['NotYet'], IntervalSeconds: 1, BackoffRate: 1, MaxAttempts: 2 },
              ],
            },
          ),
        },
      });
      expect(retried.output).toEqual({ calls: 3, mark: 'x' });
      const { output } = await run(
        catching(invoke('Function', { fail: true }), ['NotYet', 'Refused', 'States.ALL']),
      );
      expect(output.by).toBe('Refused');
      expect(output.error.Error).toBe('Refused');
      expect(JSON.parse(output.error.Cause)).toMatchObject({ errorType: 'Refused', errorMessage: 'refused' });
    });

    test('a function named by its own ARN fails with the same names', async () => {
      const { output } = await run(
        catching({ Type: 'Task', Resource: stack.outputs.FunctionArn, End: true }, ['Refused', 'States.ALL']),
        { fail: true },
      );
      expect(output.by).toBe('Refused');
    });

    test('a throttle, a crash and a function’s timeout have their own names', async () => {
      const lambda = new LambdaClient(cloud.clientOptions());
      const FunctionName = stack.outputs.FunctionRef;
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
      try {
        const throttled = await run(
          catching(invoke('Function', {}), [
            'Lambda.Unknown',
            'Lambda.TooManyRequestsException',
            'States.ALL',
          ]),
        );
        expect(throttled.output.by).toBe('Lambda.TooManyRequestsException');
      } finally {
        await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
      }
      const crashed = await run(
        catching(invoke('Function', { exit: true }), ['Runtime.ExitError', 'States.ALL']),
      );
      expect(crashed.output.by).toBe('Runtime.ExitError');
      const hung = await run(catching(invoke('Short', { hang: true }), ['Sandbox.Timedout', 'States.ALL']));
      expect(hung.output.by).toBe('Sandbox.Timedout');
    });

    test('a task’s timeout is States.Timeout, which States.TaskFailed does not match', async () => {
      const { output } = await run(
        catching(invoke('Short', { hang: true }, { TimeoutSeconds: 0.5 }), [
          'States.TaskFailed',
          'States.Timeout',
        ]),
      );
      expect(output.by).toBe('States.Timeout');
      const failed = await run(catching(invoke('Function', { fail: true }), ['States.TaskFailed']));
      expect(failed.output.by).toBe('States.TaskFailed');
    });

    test('a runtime error is caught by no wildcard', async () => {
      const { status, error } = await run(
        catching(invoke('Function', { 'mark.$': '$.nowhere' }), ['States.ALL', 'States.TaskFailed']),
      );
      expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.Runtime' });
    });

    test('an execution ends when its time is over, and stays ended', async () => {
      const execution = await run({
        StartAt: 'Task',
        TimeoutSeconds: 1,
        States: { Task: invoke('Function', { hang: true }) },
      });
      expect(execution.status).toBe('TIMED_OUT');
    });

    test('a function that should return a task token, and fails, fails the task', async () => {
      const { output } = await run(
        catching(
          {
            ...invoke('Function', { fail: true, 'token.$': '$$.Task.Token' }),
            Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
            OutputPath: '$',
            TimeoutSeconds: 20,
          },
          ['Refused', 'States.ALL'],
        ),
      );
      expect(output.by).toBe('Refused');
    });
  });

  // https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
  describe('the execution role', () => {
    test('a function that it may not invoke fails the task', async () => {
      const { output } = await run(
        catching(invoke('Other', {}), ['Lambda.AWSLambdaException', 'States.ALL']),
      );
      expect(output.by).toBe('Lambda.AWSLambdaException');
      expect(output.error.Cause).toContain('is not authorized to perform: lambda:InvokeFunction');
    });

    const secret = (action: string) => ({
      Type: 'Task',
      Resource: `arn:aws:states:::aws-sdk:secretsmanager:${action}`,
      Parameters: { SecretId: 'known' },
      End: true,
    });

    test('an SDK integration may call what the role allows, and nothing else', async () => {
      const allowed = await run({ StartAt: 'Task', States: { Task: secret('describeSecret') } });
      expect(allowed.output).toMatchObject({ Name: 'known' });
      const { output } = await run(catching(secret('getSecretValue'), ['States.ALL']));
      expect(output.error.Error).toMatch(/^SecretsManager\./);
      expect(output.error.Cause).toContain('is not authorized to perform: secretsmanager:GetSecretValue');
      expect(JSON.stringify(output)).not.toContain('value of the secret');
    });

    test('an optimised integration too', async () => {
      const { output } = await run(
        catching(
          {
            Type: 'Task',
            Resource: 'arn:aws:states:::sqs:sendMessage',
            Parameters: { QueueUrl: stack.outputs.QueueRef, MessageBody: 'x' },
            End: true,
          },
          ['States.ALL'],
        ),
      );
      expect(output.error.Cause).toContain('is not authorized to perform: sqs:SendMessage');
    });
  });

  // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
  test('StartExecution is idempotent while the execution of that name runs on the same input', async () => {
    const stateMachineArn = await machine({
      StartAt: 'Wait',
      States: { Wait: { Type: 'Wait', Seconds: 2, End: true } },
    });
    const start = async (input: string) =>
      await sfn.send(new StartExecutionCommand({ stateMachineArn, name: 'once', input }));
    const first = await start('{"a":1}');
    const second = await start('{"a":1}');
    expect(second.executionArn).toBe(first.executionArn);
    expect(second.startDate).toEqual(first.startDate);
    await expect(start('{"a":2}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await ended(first.executionArn);
    await expect(start('{"a":1}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    const { executions } = await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
    expect(executions).toHaveLength(1);
  });

  // https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
  describe('the history', () => {
    test('holds what a task was given and what it answered', async () => {
      const execution = await run(
        { StartAt: 'Task', States: { Task: invoke('Function', { 'mark.$': '$.mark' }) } },
        { mark: 'sentinel' },
      );
      const events = await history(execution.executionArn);
      const scheduled = events.find((event) => event.type === 'TaskScheduled')?.taskScheduledEventDetails;
      expect(scheduled).toMatchObject({ resourceType: 'lambda', resource: 'invoke', region: cloud.region });
      expect(JSON.parse(scheduled?.parameters ?? '')).toEqual({
        FunctionName: stack.outputs.FunctionArn,
        Payload: { mark: 'sentinel' },
      });
      const succeeded = events.find((event) => event.type === 'TaskSucceeded')?.taskSucceededEventDetails;
      expect(JSON.parse(succeeded?.output ?? '').Payload.mark).toBe('sentinel');
      const started = events.find((event) => event.type === 'ExecutionStarted')?.executionStartedEventDetails;
      expect(started?.input).toContain('sentinel');
      expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index + 1));
    });

    test('holds the states inside of a Map and a Parallel', async () => {
      const states = {
        StartAt: 'Inner',
        States: { Inner: { Type: 'Pass', Result: { inside: 'inner sentinel' }, End: true } },
      };
      const execution = await run(
        {
          StartAt: 'Map',
          States: {
            Map: { Type: 'Map', ItemProcessor: states, Next: 'Parallel' },
            Parallel: { Type: 'Parallel', Branches: [states, states], End: true },
          },
        },
        [1, 2] as unknown as object,
      );
      expect(execution.status).toBe('SUCCEEDED');
      const exits = (await history(execution.executionArn)).filter(
        (event) => event.stateExitedEventDetails?.name === 'Inner',
      );
      expect(exits).toHaveLength(4);
      expect(exits[0]?.stateExitedEventDetails?.output).toContain('inner sentinel');
    });

    test('of a distributed Map is in its child executions', async () => {
      const execution = await run(
        {
          StartAt: 'Map',
          States: {
            Map: {
              Type: 'Map',
              Label: 'Each',
              ItemProcessor: {
                ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
                StartAt: 'Task',
                States: { Task: invoke('Function', { 'mark.$': '$' }) },
              },
              End: true,
            },
          },
        },
        ['first sentinel', 'second sentinel'] as unknown as object,
      );
      expect(execution.status).toBe('SUCCEEDED');
      const { mapRuns } = await sfn.send(new ListMapRunsCommand({ executionArn: execution.executionArn }));
      const { executions } = await sfn.send(
        new ListExecutionsCommand({ mapRunArn: mapRuns?.[0]?.mapRunArn }),
      );
      expect(executions).toHaveLength(2);
      const events = await history(executions?.[0]?.executionArn);
      expect(events.map((event) => event.type)).toEqual([
        'ExecutionStarted',
        'TaskStateEntered',
        'TaskScheduled',
        'TaskStarted',
        'TaskSucceeded',
        'TaskStateExited',
        'ExecutionSucceeded',
      ]);
      expect(events[0]?.executionStartedEventDetails?.input).toMatch(/sentinel/);
    });
  });
});
