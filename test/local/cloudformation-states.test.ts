/**
 * Which operation a stack takes in which state, and the quotas of a template.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */

import { rm } from 'node:fs/promises';
import {
  CloudFormationClient,
  ContinueUpdateRollbackCommand,
  CreateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { lifeCycle, parameter } from './support/life-cycle.ts';
import { refusalText } from './support/refusal.ts';
import { deployRotationFunction } from './support/rotation.ts';

describe('states and quotas', () => {
  let directory: string;
  let cloud: LocalCloud;

  beforeAll(async () => {
    directory = await newFolder('states');
    cloud = await startCloud({ directory });
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const good = { Resources: { It: parameter('x') } };
  const better = { Resources: { It: parameter('y') } };
  const bad = { Resources: { It: parameter({ 'Fn::ImportValue': 'missing' }) } };

  test('a stack whose creation was rolled back can only be deleted', async () => {
    const stack = lifeCycle(cloud, 'rolled-back');
    expect((await stack.create(bad)).status).toBe('ROLLBACK_COMPLETE');
    expect(await refusalText(stack.update(good))).toContain(
      'is in ROLLBACK_COMPLETE state and can not be updated.',
    );
    expect(await refusalText(stack.plan(good))).toContain(
      'is in ROLLBACK_COMPLETE state and can not be updated.',
    );
    const again = lifeCycle(cloud, 'rolled-back');
    expect(await refusalText(again.create(good))).toContain('Stack [rolled-back] already exists');
    expect((await stack.remove()).status).toBe('DELETE_COMPLETE');
    expect((await again.create(good)).status).toBe('CREATE_COMPLETE');
  });

  test('a stack whose update was rolled back can be updated; without a change there is no update', async () => {
    const stack = lifeCycle(cloud, 'updatable');
    await stack.create(good);
    expect((await stack.update(bad)).status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await refusalText(stack.update(good))).toContain('No updates are to be performed.');
    expect((await stack.update(better)).status).toBe('UPDATE_COMPLETE');
  });

  test('a stack whose rollback failed is continued, over what cannot be rolled back if need be, or deleted', async () => {
    const rotation = await deployRotationFunction(cloud);
    await rotation.misbehave({ FAIL_AT: 'setSecret' });
    const rotating = (expression: string, value: string) => ({
      Resources: {
        It: parameter(value),
        Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: 'x' } },
        Schedule: {
          Type: 'AWS::SecretsManager::RotationSchedule',
          DependsOn: 'It',
          Properties: {
            SecretId: { Ref: 'Secret' },
            RotationLambdaARN: rotation.arn,
            RotationRules: { ScheduleExpression: expression },
          },
        },
      },
      Outputs: { Secret: { Value: { Ref: 'Secret' } } },
    });
    const stack = lifeCycle(cloud, 'stuck');
    const { outputs } = await stack.create(rotating('rate(30 days)', 'x'));
    await eventually(
      'the rotation to fail',
      async () => (await rotation.events(outputs.Secret ?? '')).length >= 2,
    );
    expect((await stack.update(rotating('rate(10 days)', 'y'))).status).toBe('UPDATE_ROLLBACK_FAILED');
    const refused = 'is in UPDATE_ROLLBACK_FAILED state and can not be updated.';
    expect(await refusalText(stack.update(rotating('rate(5 days)', 'z')))).toContain(refused);
    expect(await refusalText(stack.plan(rotating('rate(5 days)', 'z')))).toContain(refused);
    const client = new CloudFormationClient(cloud.clientOptions());
    const go = async (ResourcesToSkip: string[]) =>
      await stack.after(async () => {
        await client.send(new ContinueUpdateRollbackCommand({ StackName: 'stuck', ResourcesToSkip }));
      });
    expect((await go([])).status).toBe('UPDATE_ROLLBACK_FAILED');
    expect((await go(['Schedule'])).status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect((await stack.remove()).status).toBe('DELETE_COMPLETE');
  });

  test('a resource keeps its type', async () => {
    const stack = lifeCycle(cloud, 'typed');
    await stack.create(good);
    const other = { Resources: { It: { Type: 'AWS::SQS::Queue' } } };
    const refused = 'Update of resource type is not permitted.';
    expect(await refusalText(stack.update(other))).toContain(refused);
    expect(await refusalText(stack.plan(other))).toContain(refused);
  });

  test('a template has at most 500 resources, 200 outputs, 51,200 bytes in the request and 1 MB in a bucket', async () => {
    const many = (count: number, of: (index: number) => object, prefix: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, of(index)]));
    const wait = () => ({ Type: 'AWS::CloudFormation::WaitConditionHandle' });
    const refused = async (template: Parameters<ReturnType<typeof lifeCycle>['create']>[0]) =>
      await refusalText(lifeCycle(cloud, 'over').create(template));
    expect(await refused({ Resources: many(501, wait, 'R') })).toContain(
      'Number of resources, 501, is greater than maximum allowed, 500',
    );
    const outputs = many(201, () => ({ Value: 'x' }), 'O');
    expect(await refused({ ...good, Outputs: outputs })).toContain('Number of outputs, 201');
    const long = (bytes: number) => ({ Resources: { It: parameter('x'.repeat(bytes)) } });
    expect(await refused(long(51_200))).toContain('less than or equal to 51200');
    const s3 = new S3Client({ ...cloud.clientOptions(), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'templates' }));
    const Body = JSON.stringify(long(1_000_000));
    await s3.send(new PutObjectCommand({ Bucket: 'templates', Key: 'long', Body }));
    const call = new CloudFormationClient(cloud.clientOptions()).send(
      new CreateStackCommand({ StackName: 'over', TemplateURL: `${cloud.endpoint}/templates/long` }),
    );
    expect(await refusalText(call)).toContain('Template may not exceed 1000000 bytes in size.');
  });
});
