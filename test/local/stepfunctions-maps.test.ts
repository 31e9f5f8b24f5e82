import { rm } from 'node:fs/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  type ExecutionListItem,
  ListMapRunsCommand,
  SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { allow, deployStack, keyedTable, role, type TestStack } from './support/stack.ts';
import { distributed, ownExecutions, pass, Workflows } from './support/workflows.ts';

const readLanes = allow('s3:GetObject', {
  'Fn::Join': ['', [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, '/lanes/*']],
});
const table = { 'Fn::GetAtt': ['Table', 'Arn'] };

/** https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html */
describe('Map states', () => {
  let directory: string;
  let cloud: LocalCloud;
  let workflows: Workflows;
  let stack: TestStack;

  beforeAll(async () => {
    directory = await newFolder('maps');
    cloud = await startCloud({ directory });
    workflows = new Workflows(cloud);
    stack = await deployStack(cloud, 'maps', {
      Bucket: { Type: 'AWS::S3::Bucket' },
      Table: keyedTable(),
      Full: role('states.amazonaws.com', [
        ...ownExecutions,
        readLanes,
        allow(['dynamodb:UpdateItem', 'dynamodb:GetItem'], table),
      ]),
      Key: {
        Type: 'AWS::KMS::Key',
        Properties: {
          KeyPolicy: {
            Statement: [
              {
                Effect: 'Allow',
                Principal: { AWS: { Ref: 'AWS::AccountId' } },
                Action: 'kms:*',
                Resource: '*',
              },
            ],
          },
        },
      },
      Decrypting: role('states.amazonaws.com', [
        ...ownExecutions,
        readLanes,
        allow('kms:Decrypt', { 'Fn::GetAtt': ['Key', 'Arn'] }),
      ]),
      NoTable: role('states.amazonaws.com', [...ownExecutions, allow('dynamodb:GetItem', table)]),
      NoObject: role('states.amazonaws.com', ownExecutions),
      StartAlone: role('states.amazonaws.com', [ownExecutions[0]]),
      NoStart: role('states.amazonaws.com', [ownExecutions[1]]),
    });
    const s3 = new S3Client(cloud.clientOptions());
    const put = async (Key: string, Body: string) =>
      await s3.send(new PutObjectCommand({ Bucket: stack.outputs.BucketRef, Key, Body }));
    await s3.send(
      new PutObjectCommand({
        Bucket: stack.outputs.BucketRef,
        Key: 'lanes/encrypted',
        Body: '["kept"]',
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: stack.outputs.KeyArn,
      }),
    );
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
  const start = async (definition: object, input: unknown, roleName = 'Full') =>
    await workflows.start(definition, input, stack.outputs[`${roleName}Arn`]);
  const run = async (definition: object, input: unknown, roleName = 'Full') =>
    await workflows.run(definition, input, stack.outputs[`${roleName}Arn`]);

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
      expect(await workflows.types(executionArn)).toEqual([
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

    test('of an encrypted object are read with its key', async () => {
      const definition = distributed(pass, reader('lanes/encrypted'));
      const { result } = await run(definition, { bucket: stack.outputs.BucketRef }, 'Decrypting');
      expect(result).toEqual(['kept']);
    });

    test('of a bucket are listed by whom it allows', async () => {
      const ItemReader = {
        Resource: 'arn:aws:states:::s3:listObjectsV2',
        Parameters: { 'Bucket.$': '$.bucket', Prefix: 'lanes/' },
      };
      const refused = await run(distributed(pass, { ItemReader }), { bucket: stack.outputs.BucketRef });
      expect(refused).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed' });
      expect(refused.cause).toContain('is not authorized to perform: s3:ListBucket');
    });

    test('of more than 256 KiB are no input of a child', async () => {
      const ItemSelector = { 'one.$': '$$.Map.Item.Value', 'other.$': '$.other' };
      const input = { items: ['x'.repeat(150_000)], other: 'y'.repeat(150_000) };
      const failed = await run(distributed(pass, { ItemsPath: '$.items', ItemSelector }), input);
      expect(failed).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
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
      ['lanes/encrypted', 'Full', 'is not authorized to perform: kms:Decrypt'],
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
      expect(await workflows.mapRun(executionArn)).toMatchObject({ status: 'FAILED' });
      expect(await workflows.types(executionArn)).toContain('MapRunFailed');
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
      const run6 = await workflows.mapRun(executionArn);
      expect(run6.executionCounts).toMatchObject({ total: 6, succeeded: 6, running: 0, pending: 0 });
      const found = await workflows.children(run6.mapRunArn);
      expect(found).toHaveLength(6);
      expect(atOnce(found)).toBe(most);
    });

    test('are executions of their own, which their context names', async () => {
      const named = { Pass: { Type: 'Pass', Parameters: { 'id.$': '$$.Execution.Id' }, End: true } };
      const { result, executionArn } = await run(distributed(named, { Label: 'Lanes' }), [1]);
      const { mapRunArn } = await workflows.mapRun(executionArn);
      const [child] = await workflows.children(mapRunArn);
      expect(result).toEqual([{ id: child?.executionArn }]);
      expect(child?.executionArn).toContain(`:execution:map-${workflows.machines}/Lanes:`);
      expect(child?.mapRunArn).toBe(mapRunArn);
      const described = await workflows.sfn.send(
        new DescribeExecutionCommand({ executionArn: child?.executionArn }),
      );
      expect(described).toMatchObject({ status: 'SUCCEEDED', input: '1', mapRunArn });
    });

    test('are described to whom the Map Run is granted', async () => {
      const { executionArn } = await run(distributed(pass, { Label: 'Lanes' }), [1]);
      const { mapRunArn } = await workflows.mapRun(executionArn);
      const describeAs = async (name: string, resource: string) => {
        const user = await createUser(cloud, name, [allow('states:DescribeMapRun', resource)]);
        const client = new SFNClient({ ...cloud.clientOptions(), credentials: user.credentials });
        return await client.send(new DescribeMapRunCommand({ mapRunArn }));
      };
      const granted = `arn:aws:states:*:*:mapRun:map-${workflows.machines}/Lanes:*`;
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
        const { mapRuns = [] } = await workflows.sfn.send(new ListMapRunsCommand({ executionArn }));
        return mapRuns[0] && (await workflows.mapRun(executionArn)).executionCounts?.running === 2;
      });
      await workflows.sfn.send(new StopExecutionCommand({ executionArn }));
      const stopped = await workflows.mapRun(executionArn);
      expect(stopped).toMatchObject({ status: 'ABORTED', executionCounts: { running: 0, aborted: 2 } });
      const found = await workflows.children(stopped.mapRunArn);
      expect(found.map(({ status }) => status)).toEqual(['ABORTED', 'ABORTED']);
      const before = await workflows.types(found[0]?.executionArn);
      expect(before).toEqual(['ExecutionStarted', 'WaitStateEntered', 'ExecutionAborted']);
      // A second run ends later than the children would have gone on.
      await run(distributed({ Wait: { Type: 'Wait', Seconds: 3, End: true } }), [1]);
      expect(await workflows.types(found[0]?.executionArn)).toEqual(before);
      expect(await workflows.children(stopped.mapRunArn)).toHaveLength(2);
    });
  });
});
