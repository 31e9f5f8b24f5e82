import { rm } from 'node:fs/promises';
import {
  DeleteFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { logLines } from './support/logs.ts';
import { allow, deployStack, nodeFunction, role, type TestStack } from './support/stack.ts';

const code = `
let served = 0;
class MyError extends Error { constructor(m) { super(m); this.name = 'MyError'; this.detail = 'own property of the error'; } }
exports.handler = async (event, context) => {
  served += 1;
  switch (event.do) {
    case 'throw': throw new MyError('it went wrong');
    case 'throw string': throw 'only text';
    case 'exit': process.exit(3);
    case 'reject later': Promise.reject(new Error('nobody waits for this')); await new Promise((r) => setTimeout(r, 2000)); break;
    case 'hang': await new Promise((r) => setTimeout(r, 60000)); break;
    case 'environment': return { ...process.env };
    case 'log':
      for (let i = 0; i < event.lines; i += 1) console.log('line ' + i + ' of ' + event.mark);
      process.stdout.write('unended text of ' + event.mark);
      return null;
    case 'log and exit': console.log('last words of ' + event.mark); process.exit(1);
  }
  return { served, pid: process.pid, requestId: context.awsRequestId };
};`;

describe('Lambda execution environments', () => {
  let directory: string;
  let cloud: LocalCloud;
  let lambda: LambdaClient;
  let stack: TestStack;
  const queueAttributes = allow('sqs:GetQueueAttributes', { 'Fn::GetAtt': ['Queue', 'Arn'] });
  const resources = (statements: Parameters<typeof role>[1]) => ({
    Queue: { Type: 'AWS::SQS::Queue' },
    Role: role('lambda.amazonaws.com', statements),
    OtherRole: role('lambda.amazonaws.com', [queueAttributes]),
    Function: nodeFunction(code, 'Role', {
      Environment: { Variables: { OWN: 'value' } },
    }),
    Short: nodeFunction(code, 'Role', { Timeout: 1 }),
    Broken: nodeFunction("require('./nowhere');", 'Role'),
    Unexported: nodeFunction('exports.other = 1;', 'Role'),
  });

  beforeAll(async () => {
    directory = await newFolder('lambda');
    cloud = await startCloud({ directory });
    lambda = new LambdaClient(cloud.clientOptions());
    stack = await deployStack(cloud, 'lambda', resources([queueAttributes]));
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function invoke(event: object, name = 'FunctionRef') {
    const answer = await lambda.send(
      new InvokeCommand({
        FunctionName: stack.outputs[name],
        Payload: JSON.stringify(event),
        LogType: 'Tail',
      }),
    );
    return {
      error: answer.FunctionError,
      payload: JSON.parse(Buffer.from(answer.Payload ?? []).toString()),
      log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
    };
  }

  async function logged(name: string, text: string): Promise<string[]> {
    return await logLines(cloud, `/aws/lambda/${stack.outputs[name]}`, text);
  }

  // https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html
  test('a thrown error keeps its name, message and stack, and the environment stays warm', async () => {
    const before = await invoke({});
    const failed = await invoke({ do: 'throw' });
    expect(failed.error).toBe('Unhandled');
    expect(failed.payload).toMatchObject({ errorType: 'MyError', errorMessage: 'it went wrong' });
    expect(failed.payload.trace[0]).toBe('MyError: it went wrong');
    expect(failed.payload.trace.length).toBeGreaterThan(1);
    const after = await invoke({});
    expect(after.payload.pid).toBe(before.payload.pid);
    expect(after.payload.served).toBe(before.payload.served + 2);
    expect(after.payload.requestId).not.toBe(before.payload.requestId);
  });

  test('what is thrown without being an error is named by its type', async () => {
    expect((await invoke({ do: 'throw string' })).payload).toEqual({
      errorType: 'string',
      errorMessage: 'only text',
      trace: [],
    });
  });

  test('an exit, a crash and a timeout end the environment', async () => {
    const first = await invoke({});
    const exited = await invoke({ do: 'exit' });
    expect(exited.error).toBe('Unhandled');
    expect(exited.payload.errorType).toBe('Runtime.ExitError');
    expect(exited.payload.errorMessage).toMatch(
      /^RequestId: [-0-9a-f]{36} Error: Runtime exited with error: exit status 3$/,
    );
    const second = await invoke({});
    expect(second.payload).toMatchObject({ served: 1 });
    expect(second.payload.pid).not.toBe(first.payload.pid);
    const rejected = await invoke({ do: 'reject later' });
    expect(rejected.payload.errorType).toBe('Runtime.UnhandledPromiseRejection');
    expect(rejected.payload.errorMessage).toBe('Error: nobody waits for this');
    expect((await invoke({})).payload.pid).not.toBe(second.payload.pid);
    const hung = await invoke({ do: 'hang' }, 'ShortRef');
    expect(hung.payload.errorType).toBe('Sandbox.Timedout');
    expect(hung.payload.errorMessage).toMatch(/Task timed out after 1\.00 seconds$/);
    expect((await invoke({}, 'ShortRef')).payload.served).toBe(1);
  });

  // https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
  test('a throttled invocation is refused as too many requests', async () => {
    const FunctionName = stack.outputs.ShortRef;
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    try {
      await expect(lambda.send(new InvokeCommand({ FunctionName }))).rejects.toMatchObject({
        name: 'TooManyRequestsException',
        Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
        Type: 'User',
        message: 'Rate Exceeded.',
      });
    } finally {
      await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    }
  });

  test('an initialisation that fails says why', async () => {
    expect((await invoke({}, 'BrokenRef')).payload.errorType).toBe('Runtime.ImportModuleError');
    expect((await invoke({}, 'UnexportedRef')).payload.errorType).toBe('Runtime.HandlerNotFound');
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
  test('the environment variables are the documented ones, and the function’s own', async () => {
    const { payload } = await invoke({ do: 'environment' });
    expect(payload).toMatchObject({
      OWN: 'value',
      AWS_REGION: cloud.region,
      AWS_LAMBDA_FUNCTION_NAME: stack.outputs.FunctionRef,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      _HANDLER: 'index.handler',
      TZ: ':UTC',
    });
    const documented =
      /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_\w+|AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_(TASK_ROOT|RUNTIME_DIR)|LANG|PATH|LD_LIBRARY_PATH|NODE_PATH|NODE_OPTIONS|AWS_XRAY_\w+|TZ|OWN)$/;
    const forTheEmulator =
      /^(AWS_ENDPOINT_URL|NODE_EXTRA_CA_CERTS|AWS_DISABLE_HOST_PREFIX_INJECTION|_LAMBDA_\w+|_MINISTACK_\w+)$/;
    const others = Object.keys(payload).filter(
      (name) => !documented.test(name) && !forTheEmulator.test(name),
    );
    expect(others).toEqual([]);
    expect(payload.AWS_ACCESS_KEY_ID).toMatch(/^ASIA/);
  });

  function credentialsOf(payload: Record<string, string>) {
    return {
      accessKeyId: payload.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: payload.AWS_SECRET_ACCESS_KEY ?? '',
      sessionToken: payload.AWS_SESSION_TOKEN ?? '',
    };
  }

  async function mayReadQueue(payload: Record<string, string>): Promise<boolean> {
    const sqs = new SQSClient(cloud.clientOptions(credentialsOf(payload)));
    try {
      await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: stack.outputs.QueueRef, AttributeNames: ['QueueArn'] }),
      );
      return true;
    } catch (error) {
      expect((error as Error).name).toMatch(/AccessDenied/);
      return false;
    }
  }

  // https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
  test('a warm environment works under its role as the role is now', async () => {
    const granted = await invoke({ do: 'environment' });
    const { payload: before } = await invoke({});
    expect(await mayReadQueue(granted.payload)).toBe(true);
    await stack.update(resources([]));
    expect(await mayReadQueue(granted.payload)).toBe(false);
    expect((await invoke({})).payload.pid).toBe(before.pid);
    await lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: stack.outputs.FunctionRef,
        Role: stack.outputs.OtherRoleArn,
      }),
    );
    await eventually('the function to be updated', async () => {
      const config = await lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: stack.outputs.FunctionRef }),
      );
      return config.LastUpdateStatus === 'Successful';
    });
    const changed = await invoke({ do: 'environment' });
    expect(changed.payload.AWS_ACCESS_KEY_ID).not.toBe(granted.payload.AWS_ACCESS_KEY_ID);
    expect(await mayReadQueue(changed.payload)).toBe(true);
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
  test('every line reaches CloudWatch Logs, however the invocation ends', async () => {
    const tail = await invoke({ do: 'log', lines: 500, mark: 'many' });
    expect(tail.log).toContain('unended text of many');
    expect(await logged('FunctionRef', 'of many')).toHaveLength(501);
    await invoke({ do: 'log and exit', mark: 'exit' });
    expect(await logged('FunctionRef', 'last words of exit')).toHaveLength(1);
    await invoke({ do: 'throw' });
    const errors = await logged('FunctionRef', 'own property of the error');
    expect(errors.length).toBeGreaterThan(0);
    expect(errors[0]).toContain('"errorType":"MyError"');
  });

  test('an invocation that logs nothing is not held back', async () => {
    // Held back, it takes 50 ms at least, however often it is tried; a busy machine needs some tries.
    await eventually('an invocation within 40 ms', async () => {
      const from = performance.now();
      await invoke({});
      return performance.now() - from < 40;
    });
  });
});
