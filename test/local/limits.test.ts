import { rm } from 'node:fs/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { deployStack, nodeFunction, role, type TestStack } from './support/stack.ts';

const slow = 'exports.handler = () => new Promise((done) => setTimeout(done, 3000));';

describe('what the account may do at once', () => {
  let directory: string;
  let cloud: LocalCloud;
  let stack: TestStack;

  beforeAll(async () => {
    directory = await newFolder('limits');
    cloud = await startCloud({ directory });
    stack = await deployStack(cloud, 'limits', {
      Role: role('lambda.amazonaws.com', []),
      Function: nodeFunction(slow, 'Role', { Timeout: 30 }),
    });
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('one invocation more than the limit is turned away, and finds a place when one is free', async () => {
    await cloud.limit({ invocations: 2 });
    const lambda = new LambdaClient({ ...cloud.clientOptions(), maxAttempts: 1 });
    const invoke = () =>
      lambda.send(new InvokeCommand({ FunctionName: stack.outputs.FunctionRef })).then(
        () => 'done',
        (error: Error) => error.name,
      );
    expect((await Promise.all([invoke(), invoke(), invoke()])).toSorted()).toEqual([
      'TooManyRequestsException',
      'done',
      'done',
    ]);
    expect(await invoke()).toBe('done');
    await cloud.limit({ invocations: 32 });
  });

  test('calls beyond the rate of an action are throttled, those of others are not', async () => {
    const client = new SecretsManagerClient({ ...cloud.clientOptions(), maxAttempts: 1 });
    await client.send(new CreateSecretCommand({ Name: 'limited', SecretString: 'value' }));
    await cloud.limit({ calls: { 'secretsmanager:DescribeSecret': 2 } });
    const describeSecret = () =>
      client.send(new DescribeSecretCommand({ SecretId: 'limited' })).then(
        () => 'taken',
        (error: Error) => `${error.name}: ${error.message}`,
      );
    const answers = await Promise.all(Array.from({ length: 12 }, describeSecret));
    expect(new Set(answers)).toEqual(new Set(['taken', 'ThrottlingException: Rate exceeded']));
    expect(answers.filter((answer) => answer === 'taken').length).toBeLessThan(8);
    await client.send(new CreateSecretCommand({ Name: 'another', SecretString: 'value' }));
    // The SDK's own patience gets through.
    const patient = new SecretsManagerClient({ ...cloud.clientOptions(), maxAttempts: 8 });
    expect((await patient.send(new DescribeSecretCommand({ SecretId: 'limited' }))).Name).toBe('limited');
  });
});
