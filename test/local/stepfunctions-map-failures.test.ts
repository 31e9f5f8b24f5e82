import { rm } from 'node:fs/promises';
import { GetExecutionHistoryCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { allow, deployStack, keyedTable, role, type TestStack } from './support/stack.ts';
import { distributed, ownExecutions, Workflows } from './support/workflows.ts';

/** https://docs.aws.amazon.com/step-functions/latest/dg/maprun-fail-threshold.html */
describe('Failures in Map states', () => {
  let directory: string;
  let cloud: LocalCloud;
  let workflows: Workflows;
  let stack: TestStack;

  beforeAll(async () => {
    directory = await newFolder('map-failures');
    cloud = await startCloud({ directory });
    workflows = new Workflows(cloud);
    stack = await deployStack(cloud, 'map-failures', {
      Table: keyedTable(),
      Machine: role('states.amazonaws.com', [
        ...ownExecutions,
        allow('dynamodb:UpdateItem', { 'Fn::GetAtt': ['Table', 'Arn'] }),
      ]),
    });
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const run = async (definition: object, input: unknown) =>
    await workflows.run(definition, input, stack.outputs.MachineArn);

  const failing = {
    Choice: {
      Type: 'Choice',
      Choices: [{ Variable: '$', NumericEquals: 0, Next: 'Fail' }],
      Default: 'Wait',
    },
    Fail: { Type: 'Fail', Error: 'Refused', Cause: 'by the target' },
    Wait: { Type: 'Wait', SecondsPath: '$', End: true },
  };

  test.each([
    [{ ToleratedFailurePercentage: 100 }, [0, 0], 'SUCCEEDED'],
    [{ ToleratedFailurePercentage: 50 }, [0, 1], 'SUCCEEDED'],
    [{ ToleratedFailurePercentage: 49 }, [0, 1], 'FAILED'],
    [{ ToleratedFailurePercentagePath: '$[1]' }, [0, 49], 'FAILED'],
    [{ ToleratedFailureCount: 1 }, [0, 1, 1], 'SUCCEEDED'],
    [{ ToleratedFailureCount: 1 }, [0, 0, 1], 'FAILED'],
    [{ ToleratedFailureCount: 2, ToleratedFailurePercentage: 10 }, [0, 1], 'FAILED'],
    [{}, [0, 1], 'FAILED'],
  ])('%j of %j: %s', async (tolerance, items, status) => {
    const execution = await run(distributed(failing, { ...tolerance, ItemsPath: '$' }), items);
    expect(execution.status).toBe(status);
    if (status === 'FAILED') expect(execution.error).toBe('States.ExceedToleratedFailureThreshold');
    expect((await workflows.mapRun(execution.executionArn)).status).toBe(status);
  });

  // https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
  test('that are tolerated are told in the place of the output', async () => {
    const { result } = await run(distributed(failing, { ToleratedFailurePercentage: 100 }), [0, 1]);
    expect(result[0]).toMatchObject({
      Status: 'FAILED',
      Error: 'Refused',
      Cause: 'by the target',
      Input: '0',
    });
    expect(result[1]).toBe(1);
  });

  test('that are too many stop the children that still run', async () => {
    const { executionArn } = await run(distributed(failing), [30, 0]);
    const { executionCounts } = await workflows.mapRun(executionArn);
    expect(executionCounts).toMatchObject({ failed: 1, aborted: 1, running: 0 });
  });

  // https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
  test.each([
    [['x'.repeat(200_000)], 'SUCCEEDED'],
    [['x'.repeat(200_000), 'x'.repeat(200_000)], 'FAILED'],
  ])('results of more than 256 KiB in all are one', async (items, status) => {
    const lengths = items.map((text) => text.length);
    const make = { Pass: { Type: 'Pass', Result: 'x'.repeat(200_000), End: true } };
    const execution = await run(distributed(make, { ResultPath: null }), lengths);
    expect(execution.status).toBe(status);
    if (status === 'FAILED') expect(execution.error).toBe('States.DataLimitExceeded');
  });

  // https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
  test('of one iteration end the rest of an inline Map', async () => {
    const write = {
      Type: 'Task',
      Resource: 'arn:aws:states:::dynamodb:updateItem',
      Parameters: {
        TableName: stack.outputs.TableRef,
        Key: { pk: { 'S.$': "States.Format('lane-{}', $)" } },
      },
      ResultPath: null,
      Next: 'Choice',
    };
    const ItemProcessor = { StartAt: 'Write', States: { Write: write, ...failing } };
    const inner = { Type: 'Map', MaxConcurrency: 1, ItemProcessor, End: true };
    const { result, executionArn } = await run(
      distributed({ Lane: inner }, { ToleratedFailurePercentage: 100 }),
      [
        [1, 0, 2],
        [3, 4],
      ],
    );
    expect(result[0]).toMatchObject({ Status: 'FAILED', Error: 'Refused' });
    expect(result[1]).toEqual([3, 4]);
    const found = await workflows.children((await workflows.mapRun(executionArn)).mapRunArn);
    const failed = found.find(({ status }) => status === 'FAILED');
    const written = (await workflows.types(failed?.executionArn)).filter((type) => type === 'TaskSucceeded');
    expect(written).toHaveLength(2);
  });

  // https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
  test('of one branch end the other branches of a Parallel', async () => {
    const Fail = { Fail: failing.Fail };
    const Slow = {
      First: { Type: 'Wait', Seconds: 1, Next: 'Second' },
      Second: { Type: 'Pass', End: true },
    };
    const Branches = [
      { StartAt: 'First', States: Slow },
      { StartAt: 'Fail', States: Fail },
    ];
    const Parallel = { Type: 'Parallel', Branches, Next: 'Never' };
    const definition = { StartAt: 'Parallel', States: { Parallel, Never: { Type: 'Pass', End: true } } };
    const { error, executionArn } = await run(definition, {});
    expect(error).toBe('Refused');
    expect(await workflows.types(executionArn)).not.toContain('PassStateEntered');
  });

  test('do not come first: the 41st iteration of an inline Map waits for another', async () => {
    const ItemProcessor = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 1, End: true } } };
    const definition = { StartAt: 'Map', States: { Map: { Type: 'Map', ItemProcessor, End: true } } };
    const took = async (items: number) => {
      const { startDate, stopDate } = await run(
        definition,
        Array.from({ length: items }, () => 1),
      );
      return Number(stopDate) - Number(startDate);
    };
    expect(await took(41)).toBeGreaterThanOrEqual(2_000);
  });

  // https://docs.aws.amazon.com/step-functions/latest/dg/bp-history-limit.html
  test('are lanes that are too long: an execution has 25,000 events at most', async () => {
    const states = { There: { Type: 'Pass', Next: 'Back' }, Back: { Type: 'Pass', Next: 'There' } };
    const { result } = await run(distributed(states, { ToleratedFailurePercentage: 100 }), [1]);
    expect(result[0]).toMatchObject({ Status: 'FAILED', Error: 'States.Runtime' });
    expect(result[0].Cause).toContain('maximum number of history events (25000)');
    const last = { executionArn: result[0].ExecutionArn, reverseOrder: true, maxResults: 1 };
    const { events = [] } = await workflows.sfn.send(new GetExecutionHistoryCommand(last));
    expect(events[0]).toMatchObject({ type: 'ExecutionFailed', id: 25_000 });
  });

  // https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html
  test('are waits for anything but a whole number of seconds', async () => {
    const { States } = distributed(failing, { ToleratedFailurePercentage: 100 });
    const { result } = await run({ StartAt: 'Map', States }, [1, 0.5, -1]);
    expect(result.map((one: unknown) => (one as { Error?: string }).Error)).toEqual([
      undefined,
      'States.Runtime',
      'States.Runtime',
    ]);
  });
});
