import { rm } from 'node:fs/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { refusal } from './support/refusal.ts';
import { allow, deployStack, nodeFunction, role, type TestStack } from './support/stack.ts';

const answers = "exports.handler = async () => 'answered';";
const tags = (environment: string, service: string) => ({
  Tags: [
    { Key: 'rekey:environment', Value: environment },
    { Key: 'rekey:service', Value: service },
  ],
});
const byTags = {
  ...allow('lambda:InvokeFunction'),
  Condition: {
    StringEquals: {
      'aws:ResourceTag/rekey:environment': 'dev',
      'aws:ResourceTag/rekey:service': 'containment',
    },
  },
};

/** https://docs.aws.amazon.com/lambda/latest/dg/attribute-based-access-control.html */
describe('a role that may invoke the functions with two tags', () => {
  let directory: string;
  let cloud: LocalCloud;
  let stack: TestStack;
  let stateMachineArn: string | undefined;
  const permission = {
    Type: 'AWS::Lambda::Permission',
    Properties: {
      Action: 'lambda:InvokeFunction',
      FunctionName: { Ref: 'Tagged' },
      Principal: 'secretsmanager.amazonaws.com',
    },
  };
  const fixed = {
    FunctionRole: role('lambda.amazonaws.com'),
    MachineRole: role('states.amazonaws.com', [byTags]),
    Tagged: nodeFunction(answers, 'FunctionRole', tags('dev', 'containment')),
    OtherEnvironment: nodeFunction(answers, 'FunctionRole', tags('prod', 'containment')),
    OtherService: nodeFunction(answers, 'FunctionRole', tags('dev', 'audit')),
    Untagged: nodeFunction(answers, 'FunctionRole'),
    Permission: permission,
  };

  beforeAll(async () => {
    directory = await newFolder('lambda-tags');
    cloud = await startCloud({ directory });
    stack = await deployStack(cloud, 'tags', {
      ...fixed,
      Later: nodeFunction(answers, 'FunctionRole'),
    });
    const { stateMachineArn: arn } = await new SFNClient(cloud.clientOptions()).send(
      new CreateStateMachineCommand({
        name: 'invokes',
        roleArn: stack.outputs.MachineRoleArn,
        definition: JSON.stringify({
          StartAt: 'Invoke',
          States: {
            Invoke: {
              Type: 'Task',
              Resource: 'arn:aws:states:::lambda:invoke',
              Parameters: { 'FunctionName.$': '$.name', Payload: {} },
              OutputPath: '$.Payload',
              End: true,
            },
          },
        }),
      }),
    );
    stateMachineArn = arn;
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** What a task of a state machine with the role ends with. */
  async function invokedByTask(name: string | undefined): Promise<unknown> {
    const sfn = new SFNClient(cloud.clientOptions());
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify({ name }) }),
    );
    const { output, error } = await eventually('the execution to end', async () => {
      const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      return execution.status !== 'RUNNING' && execution;
    });
    return error ?? JSON.parse(output ?? 'null');
  }

  test('the task of a state machine reaches those, and no function that lacks one or has another value', async () => {
    const { TaggedRef, OtherEnvironmentRef, OtherServiceRef, UntaggedRef } = stack.outputs;
    expect(await invokedByTask(TaggedRef)).toBe('answered');
    for (const other of [OtherEnvironmentRef, OtherServiceRef, UntaggedRef]) {
      expect(await invokedByTask(other)).toBe('Lambda.AWSLambdaException');
    }
  });

  // Not documented: a condition on a tag that is absent is not met, and nothing else allows the call.
  test('a function that does not exist has no tags, so it is denied', async () => {
    expect(await invokedByTask('gone')).toBe('Lambda.AWSLambdaException');
  });

  test('a request to Lambda is decided the same way', async () => {
    const { credentials } = await createUser(cloud, 'invokes', [byTags]);
    const lambda = new LambdaClient(cloud.clientOptions(credentials));
    const invoke = (FunctionName: string | undefined) => lambda.send(new InvokeCommand({ FunctionName }));
    expect((await invoke(stack.outputs.TaggedRef)).StatusCode).toBe(200);
    expect(await refusal(invoke(stack.outputs.OtherServiceRef))).toBe('AccessDeniedException');
    expect(await refusal(invoke(stack.outputs.UntaggedRef))).toBe('AccessDeniedException');
  });

  test('so is the caller of RotateSecret, who must be allowed to invoke the function', async () => {
    const root = new SecretsManagerClient(cloud.clientOptions());
    const { ARN: SecretId } = await root.send(new CreateSecretCommand({ Name: 's', SecretString: 'v' }));
    await root.send(
      new RotateSecretCommand({
        SecretId,
        RotationLambdaARN: stack.outputs.TaggedArn,
        RotateImmediately: false,
      }),
    );
    // Without an immediate rotation, the function is tried with a version that is pending for so long.
    await eventually('the setup to have been tried', async () => {
      const { VersionIdsToStages = {} } = await root.send(new DescribeSecretCommand({ SecretId }));
      return !Object.values(VersionIdsToStages).flat().includes('AWSPENDING');
    });
    const start = async (name: string, service: string) => {
      const Condition = { StringEquals: { 'aws:ResourceTag/rekey:service': service } };
      const statements = [allow('secretsmanager:RotateSecret'), { ...byTags, Condition }];
      const { credentials } = await createUser(cloud, name, statements);
      const client = new SecretsManagerClient(cloud.clientOptions(credentials));
      return client.send(new RotateSecretCommand({ SecretId }));
    };
    expect(await refusal(start('rotates-other', 'audit'))).toBe('AccessDeniedException');
    expect((await start('rotates', 'containment')).ARN).toBe(SecretId);
    expect((await root.send(new DescribeSecretCommand({ SecretId }))).RotationEnabled).toBe(true);
  });

  test('an update of a stack adds tags to a function and takes them off again', async () => {
    const { LaterRef } = stack.outputs;
    expect(await invokedByTask(LaterRef)).toBe('Lambda.AWSLambdaException');
    await stack.update({
      ...fixed,
      Later: nodeFunction(answers, 'FunctionRole', tags('dev', 'containment')),
    });
    expect(await invokedByTask(LaterRef)).toBe('answered');
    await stack.update({ ...fixed, Later: nodeFunction(answers, 'FunctionRole') });
    expect(await invokedByTask(LaterRef)).toBe('Lambda.AWSLambdaException');
  });
});
