import { rm } from 'node:fs/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  type ExecutionListItem,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from './support/eventually.ts';
import { allow, deployStack, role, type TestStack } from './support/stack.ts';

const own = [
  allow('states:StartExecution', 'arn:aws:states:*:*:stateMachine:*'),
  allow(['states:DescribeExecution', 'states:StopExecution'], 'arn:aws:states:*:*:execution:*'),
];
const readLanes = allow('s3:GetObject', {
  'Fn::Join': ['', [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, '/lanes/*']],
});
const table = { 'Fn::GetAtt': ['Table', 'Arn'] };

/** https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html */
describe('Map states', () => {
  let directory: string;
  let cloud: LocalCloud;
  let sfn: SFNClient;
  let stack: TestStack;
  let machines = 0;

  beforeAll(async () => {
    directory = await newFolder('maps');
    cloud = await startCloud({ directory });
    sfn = new SFNClient(cloud.clientOptions());
    stack = await deployStack(cloud, 'maps', {
      Bucket: { Type: 'AWS::S3::Bucket' },
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        },
      },
      Full: role('states.amazonaws.com', [
        ...own,
        readLanes,
        allow(['dynamodb:UpdateItem', 'dynamodb:GetItem'], table),
      ]),
      NoTable: role('states.amazonaws.com', [...own, allow('dynamodb:GetItem', table)]),
      NoObject: role('states.amazonaws.com', own),
      StartAlone: role('states.amazonaws.com', [own[0] ?? allow([])]),
      NoStart: role('states.amazonaws.com', [own[1] ?? allow([])]),
    });
    const s3 = new S3Client(cloud.clientOptions());
    const put = async (Key: string, Body: string) =>
      await s3.send(new PutObjectCommand({ Bucket: stack.outputs.BucketRef, Key, Body }));
    await put('lanes/two', JSON.stringify([{ target: 'a' }, { target: 'b' }]));
    await put('lanes/object', '{"lanes":[]}');
    await put('lanes/text', 'not JSON');
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const reader = (key: string) => ({
    ItemReader: {
      Resource: 'arn:aws:states:::s3:getObject',
      ReaderConfig: { InputType: 'JSON' },
      Parameters: { 'Bucket.$': '$.bucket', Key: key },
    },
  });
  const pass = { Pass: { Type: 'Pass', End: true } };

  function distributed(states: Readonly<Record<string, object>>, more: object = {}) {
    const ItemProcessor = {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: Object.keys(states)[0],
      States: states,
    };
    return { StartAt: 'Map', States: { Map: { Type: 'Map', ItemProcessor, End: true, ...more } } };
  }

  async function start(definition: object, input: unknown, roleName = 'Full'): Promise<string> {
    machines += 1;
    const { stateMachineArn } = await sfn.send(
      new CreateStateMachineCommand({
        name: `map-${machines}`,
        roleArn: stack.outputs[`${roleName}Arn`],
        definition: JSON.stringify(definition),
      }),
    );
    const { executionArn = '' } = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
    );
    return executionArn;
  }

  async function ended(executionArn: string) {
    return await eventually('the execution to end', async () => {
      const found = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      return found.status === 'RUNNING' ? undefined : found;
    });
  }

  async function run(definition: object, input: unknown, roleName?: string) {
    const execution = await ended(await start(definition, input, roleName));
    return {
      ...execution,
      result: execution.output === undefined ? undefined : JSON.parse(execution.output),
    };
  }

  async function mapRun(executionArn: string | undefined) {
    const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }));
    expect(mapRuns).toHaveLength(1);
    return await sfn.send(new DescribeMapRunCommand({ mapRunArn: mapRuns[0]?.mapRunArn }));
  }

  async function children(mapRunArn: string | undefined): Promise<ExecutionListItem[]> {
    const { executions = [] } = await sfn.send(new ListExecutionsCommand({ mapRunArn }));
    return executions;
  }

  async function types(executionArn: string | undefined): Promise<string[]> {
    const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn }));
    return events.map(({ type }) => type ?? '');
  }

  const atOnce = (found: readonly ExecutionListItem[]) =>
    Math.max(
      ...found.map(
        ({ startDate: at }) =>
          found.filter(
            (one) => at && one.startDate && one.startDate <= at && one.stopDate && one.stopDate > at,
          ).length,
      ),
    );

  // https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
  describe('the role of a distributed Map', () => {
    test('must start executions of its own machine', async () => {
      const refused = await run(distributed(pass), [1], 'NoStart');
      expect(refused).toMatchObject({ status: 'FAILED', error: 'StepFunctions.AccessDeniedException' });
      expect(refused.cause).toContain('is not authorized to perform: states:StartExecution');
      expect((await run(distributed(pass), [1])).result).toEqual([1]);
    });

    test('must describe and stop them, or by another reading need not', async () => {
      const refused = await run(distributed(pass), [1], 'StartAlone');
      expect(refused.cause).toContain('is not authorized to perform: states:DescribeExecution');
      await cloud.read('map-run-grants', 'start-alone');
      expect(await run(distributed(pass), [1], 'StartAlone')).toMatchObject({ status: 'SUCCEEDED' });
      await cloud.read('map-run-grants', 'documented');
    });

    test('must be granted what its children do with a table', async () => {
      const update = {
        Update: {
          Type: 'Task',
          Resource: 'arn:aws:states:::dynamodb:updateItem',
          Parameters: {
            TableName: stack.outputs.TableRef,
            Key: { pk: { 'S.$': '$.name' } },
            UpdateExpression: 'SET outcome = :outcome',
            ExpressionAttributeValues: { ':outcome': { S: 'cut off' } },
          },
          ResultPath: null,
          Next: 'Get',
        },
        Get: {
          Type: 'Task',
          Resource: 'arn:aws:states:::dynamodb:getItem',
          Parameters: { TableName: stack.outputs.TableRef, Key: { pk: { 'S.$': '$.name' } } },
          OutputPath: '$.Item',
          End: true,
        },
      };
      const written = await run(distributed(update), [{ name: 'first' }]);
      expect(written.result).toEqual([{ pk: { S: 'first' }, outcome: { S: 'cut off' } }]);
      const tolerant = distributed(update, { ToleratedFailurePercentage: 100 });
      const [refused] = (await run(tolerant, [{ name: 'second' }], 'NoTable')).result;
      expect(refused).toMatchObject({ Status: 'FAILED', Error: 'DynamoDB.AccessDeniedException' });
      expect(refused.Cause).toContain('is not authorized to perform: dynamodb:UpdateItem');
    });
  });

  // https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
  describe('the items', () => {
    const selector = {
      ItemSelector: {
        'lane.$': '$$.Map.Item.Value',
        'index.$': '$$.Map.Item.Index',
        'incident.$': '$.incident',
      },
    };

    test('are read from an object that paths name, and made into the inputs of the children', async () => {
      const definition = distributed(pass, { ...reader('lanes/two'), ...selector, MaxConcurrency: 1 });
      const { result, executionArn } = await run(definition, {
        bucket: stack.outputs.BucketRef,
        incident: 'i',
      });
      expect(result).toEqual([
        { lane: { target: 'a' }, index: 0, incident: 'i' },
        { lane: { target: 'b' }, index: 1, incident: 'i' },
      ]);
      expect(await types(executionArn)).toEqual([
        'ExecutionStarted',
        'MapStateEntered',
        'MapStateStarted',
        'MapRunStarted',
        'MapRunSucceeded',
        'MapStateSucceeded',
        'MapStateExited',
        'ExecutionSucceeded',
      ]);
    });

    test('are those of ItemsPath without a reader', async () => {
      const definition = distributed(pass, { ItemsPath: '$.lanes' });
      expect((await run(definition, { lanes: ['x', 'y'] })).result).toEqual(['x', 'y']);
    });

    // An array: recorded, test_map_item_reader_json_no_json_list_object.
    test.each([
      ['lanes/none', 'Full', 'The specified key does not exist.'],
      ['lanes/two', 'NoObject', 'is not authorized to perform: s3:GetObject'],
      ['other/two', 'Full', 'is not authorized to perform: s3:GetObject'],
      ['lanes/object', 'Full', 'Attempting to map over non-iterable node.'],
      ['lanes/text', 'Full', 'could not be read'],
    ])('of %s as %s cannot be read: %s', async (key, roleName, cause) => {
      const Catch = [{ ErrorEquals: ['States.ItemReaderFailed'], Next: 'Caught' }];
      const { States, ...rest } = distributed(pass, { ...reader(key), Catch });
      const definition = { ...rest, States: { ...States, Caught: { Type: 'Pass', End: true } } };
      const input = { bucket: stack.outputs.BucketRef };
      const { result, executionArn } = await run(definition, input, roleName);
      expect(result).toMatchObject({ Error: 'States.ItemReaderFailed' });
      expect(result.Cause).toContain(cause);
      expect(await mapRun(executionArn)).toMatchObject({ status: 'FAILED' });
      expect(await types(executionArn)).toContain('MapRunFailed');
    });
  });

  describe('the children', () => {
    const wait = { Wait: { Type: 'Wait', Seconds: 1, End: true } };

    test.each([
      [{ MaxConcurrency: 2 }, 2],
      [{ MaxConcurrencyPath: '$[0]' }, 3],
      [{}, 6],
    ])('of %j run side by side, %i at once', async (limit, most) => {
      const { executionArn } = await run(distributed(wait, limit), [3, 1, 1, 1, 1, 1]);
      const run6 = await mapRun(executionArn);
      expect(run6.executionCounts).toMatchObject({ total: 6, succeeded: 6, running: 0, pending: 0 });
      const found = await children(run6.mapRunArn);
      expect(found).toHaveLength(6);
      expect(atOnce(found)).toBe(most);
    });

    test('are executions of their own, which their context names', async () => {
      const named = { Pass: { Type: 'Pass', Parameters: { 'id.$': '$$.Execution.Id' }, End: true } };
      const { result, executionArn } = await run(distributed(named, { Label: 'Lanes' }), [1]);
      const { mapRunArn } = await mapRun(executionArn);
      const [child] = await children(mapRunArn);
      expect(result).toEqual([{ id: child?.executionArn }]);
      expect(child?.executionArn).toContain(`:execution:map-${machines}/Lanes:`);
      expect(child?.mapRunArn).toBe(mapRunArn);
      const described = await sfn.send(new DescribeExecutionCommand({ executionArn: child?.executionArn }));
      expect(described).toMatchObject({ status: 'SUCCEEDED', input: '1', mapRunArn });
    });

    test('are described to whom the Map Run is granted', async () => {
      const { executionArn } = await run(distributed(pass, { Label: 'Lanes' }), [1]);
      const { mapRunArn } = await mapRun(executionArn);
      const describeAs = async (name: string, resource: string) => {
        const user = await createUser(cloud, name, [allow('states:DescribeMapRun', resource)]);
        const client = new SFNClient({ ...cloud.clientOptions(), credentials: user.credentials });
        return await client.send(new DescribeMapRunCommand({ mapRunArn }));
      };
      const granted = `arn:aws:states:*:*:mapRun:map-${machines}/Lanes:*`;
      expect(await describeAs('described', granted)).toMatchObject({ status: 'SUCCEEDED' });
      await expect(describeAs('other', 'arn:aws:states:*:*:mapRun:other/*')).rejects.toMatchObject({
        name: 'AccessDeniedException',
      });
    });

    test('are stopped with the execution that started them, and go no further', async () => {
      const states = {
        Wait: { Type: 'Wait', Seconds: 2, Next: 'Write' },
        Write: {
          Type: 'Task',
          Resource: 'arn:aws:states:::dynamodb:updateItem',
          Parameters: { TableName: stack.outputs.TableRef, Key: { pk: { S: 'stopped' } } },
          End: true,
        },
      };
      const executionArn = await start(distributed(states, { MaxConcurrency: 2 }), [1, 2, 3]);
      await eventually('two children', async () => {
        const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn }));
        return mapRuns[0] && (await mapRun(executionArn)).executionCounts?.running === 2;
      });
      await sfn.send(new StopExecutionCommand({ executionArn }));
      const stopped = await mapRun(executionArn);
      expect(stopped).toMatchObject({ status: 'ABORTED', executionCounts: { running: 0, aborted: 2 } });
      const found = await children(stopped.mapRunArn);
      expect(found.map(({ status }) => status)).toEqual(['ABORTED', 'ABORTED']);
      const before = await types(found[0]?.executionArn);
      expect(before).toEqual(['ExecutionStarted', 'WaitStateEntered', 'ExecutionAborted']);
      // A second run ends later than the children would have gone on.
      await run(distributed({ Wait: { Type: 'Wait', Seconds: 3, End: true } }), [1]);
      expect(await types(found[0]?.executionArn)).toEqual(before);
      expect(await children(stopped.mapRunArn)).toHaveLength(2);
    });
  });

  // https://docs.aws.amazon.com/step-functions/latest/dg/maprun-fail-threshold.html
  describe('failures', () => {
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
      expect((await mapRun(execution.executionArn)).status).toBe(status);
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
      const { executionCounts } = await mapRun(executionArn);
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
      const found = await children((await mapRun(executionArn)).mapRunArn);
      const failed = found.find(({ status }) => status === 'FAILED');
      const written = (await types(failed?.executionArn)).filter((type) => type === 'TaskSucceeded');
      expect(written).toHaveLength(2);
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
});
