/**
 * The order of an update, what replaces a resource, which names stand in the way, and what a rollback puts back.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html
 */

import { rm } from 'node:fs/promises';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { lifeCycle, parameter } from './support/life-cycle.ts';
import { refusalText } from './support/refusal.ts';
import { nodeFunction, role } from './support/stack.ts';

const named = (Name: string, value = 'x', attributes: object = {}) => ({
  ...parameter(value, { Name }),
  ...attributes,
});
/** A resource that cannot be created, after the others named. */
const broken = (...DependsOn: string[]) => ({ ...parameter({ 'Fn::ImportValue': 'missing' }), DependsOn });
const anArn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
const reference = { Value: { Ref: 'It' } };

describe('updates of a stack', () => {
  let directory: string;
  let cloud: LocalCloud;

  beforeAll(async () => {
    directory = await newFolder('updates');
    cloud = await startCloud({ directory });
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const held = async (Name: string) => {
    const ssm = new SSMClient(cloud.clientOptions());
    return (await ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value;
  };
  const isGone = async (Name: string) => expect(await refusalText(held(Name))).toContain('ParameterNotFound');

  describe('order', () => {
    test('what is removed is deleted only after everything was created and updated', async () => {
      const stack = lifeCycle(cloud, 'order');
      await stack.create({ Resources: { Old: named('/order/old'), Kept: named('/order/kept', 'first') } });
      const failed = await stack.update({
        Resources: {
          Kept: named('/order/kept', 'second'),
          New: named('/order/new'),
          Broken: broken('Kept', 'New'),
        },
      });
      expect(failed.status).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(await held('/order/old')).toBe('x');
      expect(await held('/order/kept')).toBe('first');
      await isGone('/order/new');
      const updated = await stack.update({
        Resources: { Kept: named('/order/kept', 'second'), New: named('/order/new') },
      });
      expect(updated.status).toBe('UPDATE_COMPLETE');
      await isGone('/order/old');
    });

    test('deletes go from dependents to what they depend on; what did not change has no events', async () => {
      const stack = lifeCycle(cloud, 'events');
      const chain = {
        A: parameter('x'),
        B: { ...parameter('x'), DependsOn: 'A' },
        C: parameter({ Ref: 'B' }),
      };
      const rest = (value: string) => ({ Kept: parameter('x'), Changed: parameter(value) });
      await stack.create({ Resources: { ...chain, ...rest('x'), Moving: named('/events/a') } });
      const updated = await stack.update({ Resources: { ...rest('y'), Moving: named('/events/b') } });
      const cleanup = updated.events.indexOf('events UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
      expect(updated.events.slice(0, cleanup)).toEqual([
        'events UPDATE_IN_PROGRESS',
        'Changed UPDATE_IN_PROGRESS',
        'Changed UPDATE_COMPLETE',
        'Moving UPDATE_IN_PROGRESS',
        'Moving UPDATE_IN_PROGRESS',
        'Moving UPDATE_COMPLETE',
      ]);
      expect(updated.events.slice(cleanup).filter((event) => !event.endsWith('IN_PROGRESS'))).toEqual([
        'Moving DELETE_COMPLETE',
        'C DELETE_COMPLETE',
        'B DELETE_COMPLETE',
        'A DELETE_COMPLETE',
        'events UPDATE_COMPLETE',
      ]);
    });

    test('a resource of a fixed name cannot move to another logical id in one update', async () => {
      const stack = lifeCycle(cloud, 'moving');
      await stack.create({ Resources: { Former: named('/moving/one', 'kept') } });
      const moved = await stack.update({ Resources: { Latter: named('/moving/one', 'new') } });
      expect(moved.status).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(moved.reasons).toContain('already exists');
      expect(await held('/moving/one')).toBe('kept');
    });
  });

  describe('policies', () => {
    const Retain = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' };

    test('Retain keeps what an update removes or replaces, what a rollback created, and what a stack leaves', async () => {
      const stack = lifeCycle(cloud, 'retain');
      await stack.create({
        Resources: { It: named('/retain/a', 'x', Retain), Other: named('/retain/b', 'x', Retain) },
      });
      const failed = await stack.update({
        Resources: {
          It: named('/retain/a', 'x', Retain),
          Try: named('/retain/try', 'x', Retain),
          B: broken('Try'),
        },
      });
      expect(failed.status).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(await held('/retain/try')).toBe('x');
      const updated = await stack.update({ Resources: { It: named('/retain/c', 'x', Retain) } });
      expect(updated.status).toBe('UPDATE_COMPLETE');
      expect(await stack.remove()).toMatchObject({ status: 'DELETE_COMPLETE' });
      for (const name of ['/retain/a', '/retain/b', '/retain/c']) expect(await held(name)).toBe('x');
      // So the same stack cannot be created again before they are gone.
      expect((await stack.create({ Resources: { It: named('/retain/c') } })).status).toBe(
        'ROLLBACK_COMPLETE',
      );
    });

    test('RetainExceptOnCreate keeps all of these but what a rollback created', async () => {
      const policy = { DeletionPolicy: 'RetainExceptOnCreate' };
      const stack = lifeCycle(cloud, 'except');
      const failed = await stack.create({
        Resources: { It: named('/except/a', 'x', policy), Broken: broken('It') },
      });
      expect(failed.status).toBe('ROLLBACK_COMPLETE');
      await isGone('/except/a');
      await stack.remove();
      await stack.create({ Resources: { It: named('/except/a', 'x', policy), Other: named('/except/b') } });
      await stack.update({ Resources: { Other: named('/except/b') } });
      expect(await held('/except/a')).toBe('x');
    });
  });

  const Role = role('lambda.amazonaws.com');
  const Bus = (suffix: string) => ({
    Type: 'AWS::Events::EventBus',
    Properties: { Name: { 'Fn::Join': ['-', [{ Ref: 'AWS::StackName' }, suffix]] } },
  });
  const alarm = {
    ComparisonOperator: 'GreaterThanThreshold',
    EvaluationPeriods: 1,
    Threshold: 1,
    Namespace: 'n',
    MetricName: 'm',
    Period: 60,
    Statistic: 'Sum',
  };
  const machine = {
    RoleArn: anArn('Role'),
    DefinitionString: '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}',
  };
  const fn = (nodeFunction('exports.handler = async () => {};', 'Role') as { Properties: object }).Properties;
  const buses = { One: Bus('one'), Two: Bus('two') };
  const vpc = { Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } } };
  const queues = { One: { Type: 'AWS::SQS::Queue' }, Two: { Type: 'AWS::SQS::Queue' } };
  const group = {
    ...vpc,
    Group: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: 'g', VpcId: { Ref: 'Vpc' } } },
  };
  const ingress = {
    GroupId: { 'Fn::GetAtt': ['Group', 'GroupId'] },
    IpProtocol: 'tcp',
    CidrIp: '10.0.0.0/8',
    FromPort: 5432,
  };
  const pattern = { EventPattern: { source: ['x'] } };

  type Case = { type: string; from: object; to: object; beside?: Record<string, object> };
  const template = ({ type, beside }: Case, Properties: object) => ({
    Resources: { ...beside, It: { Type: type, Properties } },
    Outputs: { It: reference },
  });

  /** Properties that name a resource, and others that replace one. */
  const replaced: Record<string, Case> = {
    'a parameter by Name': {
      type: 'AWS::SSM::Parameter',
      from: { Name: '/r/a', Type: 'String', Value: 'v' },
      to: { Name: '/r/b', Type: 'String', Value: 'v' },
    },
    'a role by RoleName': {
      type: 'AWS::IAM::Role',
      from: { RoleName: 'r-a', ...(Role as { Properties: object }).Properties },
      to: { RoleName: 'r-b', ...(Role as { Properties: object }).Properties },
    },
    'a log group by LogGroupName': {
      type: 'AWS::Logs::LogGroup',
      from: { LogGroupName: '/r/a' },
      to: { LogGroupName: '/r/b' },
    },
    'a rule by Name': {
      type: 'AWS::Events::Rule',
      from: { Name: 'r-a', ...pattern },
      to: { Name: 'r-b', ...pattern },
    },
    'a rule by EventBusName': {
      type: 'AWS::Events::Rule',
      beside: buses,
      from: { EventBusName: { Ref: 'One' }, ...pattern },
      to: { EventBusName: { Ref: 'Two' }, ...pattern },
    },
    'an archive by SourceArn': {
      type: 'AWS::Events::Archive',
      beside: buses,
      from: { SourceArn: anArn('One') },
      to: { SourceArn: anArn('Two') },
    },
    'a function by FunctionName': {
      type: 'AWS::Lambda::Function',
      beside: { Role },
      from: { ...fn, FunctionName: 'r-a' },
      to: { ...fn, FunctionName: 'r-b' },
    },
    'a permission by anything': {
      type: 'AWS::Lambda::Permission',
      beside: { Role, Fn: { Type: 'AWS::Lambda::Function', Properties: fn } },
      from: { Action: 'lambda:InvokeFunction', FunctionName: { Ref: 'Fn' }, Principal: 'sns.amazonaws.com' },
      to: { Action: 'lambda:InvokeFunction', FunctionName: { Ref: 'Fn' }, Principal: 'events.amazonaws.com' },
    },
    'an event source mapping by its source': {
      type: 'AWS::Lambda::EventSourceMapping',
      beside: { Role, Fn: { Type: 'AWS::Lambda::Function', Properties: fn }, ...queues },
      from: { FunctionName: { Ref: 'Fn' }, EventSourceArn: anArn('One') },
      to: { FunctionName: { Ref: 'Fn' }, EventSourceArn: anArn('Two') },
    },
    'a queue by FifoQueue': { type: 'AWS::SQS::Queue', from: {}, to: { FifoQueue: true } },
    'a bucket by BucketName': {
      type: 'AWS::S3::Bucket',
      from: { BucketName: 'replaced-a' },
      to: { BucketName: 'replaced-b' },
    },
    'an alarm by AlarmName': {
      type: 'AWS::CloudWatch::Alarm',
      from: { ...alarm, AlarmName: 'r-a' },
      to: { ...alarm, AlarmName: 'r-b' },
    },
    'a state machine by StateMachineName': {
      type: 'AWS::StepFunctions::StateMachine',
      beside: { Role },
      from: { ...machine, StateMachineName: 'r-a' },
      to: { ...machine, StateMachineName: 'r-b' },
    },
    'a security group by GroupDescription': {
      type: 'AWS::EC2::SecurityGroup',
      beside: vpc,
      from: { GroupDescription: 'a', VpcId: { Ref: 'Vpc' } },
      to: { GroupDescription: 'b', VpcId: { Ref: 'Vpc' } },
    },
    'a rule of a security group by its port': {
      type: 'AWS::EC2::SecurityGroupIngress',
      beside: group,
      from: { ...ingress, ToPort: 5432 },
      to: { ...ingress, ToPort: 5433 },
    },
  };

  test.each(Object.entries(replaced))(
    'replace %s: a new one is made, then the former one goes',
    async (what, one) => {
      const stack = lifeCycle(cloud, what.replaceAll(/[^a-zA-Z]+/g, '-'));
      const created = await stack.create(template(one, one.from));
      expect(created).toMatchObject({ status: 'CREATE_COMPLETE' });
      // While the update may still fail, the former one is there to go back to.
      const failing = template({ ...one, beside: { ...one.beside, Broken: broken('It') } }, one.to);
      const failed = await stack.update(failing);
      expect(failed).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', outputs: created.outputs });
      const updated = await stack.update(template(one, one.to));
      expect(updated.status).toBe('UPDATE_COMPLETE');
      expect(updated.outputs.It).not.toBe(created.outputs.It);
      // The name of the former one is free again.
      expect((await stack.update(template(one, one.from))).status).toBe('UPDATE_COMPLETE');
      expect((await stack.remove()).status).toBe('DELETE_COMPLETE');
    },
  );

  test.each<[string, Case]>([
    [
      'a role by Path',
      {
        type: 'AWS::IAM::Role',
        from: { RoleName: 'c-a', ...(Role as { Properties: object }).Properties },
        to: { RoleName: 'c-a', Path: '/x/', ...(Role as { Properties: object }).Properties },
      },
    ],
    [
      'a rule by EventBusName',
      {
        type: 'AWS::Events::Rule',
        beside: buses,
        from: { Name: 'c-a', EventBusName: { Ref: 'One' }, ...pattern },
        to: { Name: 'c-a', EventBusName: { Ref: 'Two' }, ...pattern },
      },
    ],
    [
      'a state machine by StateMachineType',
      {
        type: 'AWS::StepFunctions::StateMachine',
        beside: { Role },
        from: { ...machine, StateMachineName: 'c-a' },
        to: { ...machine, StateMachineName: 'c-a', StateMachineType: 'EXPRESS' },
      },
    ],
  ])('do not replace %s under the same name', async (what, one) => {
    const stack = lifeCycle(cloud, `custom-${what.replaceAll(/[^a-zA-Z]+/g, '-')}`);
    await stack.create(template(one, one.from));
    const update = await stack.update(template(one, one.to));
    expect(update.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(update.reasons).toContain(
      'CloudFormation cannot update a stack when a custom-named resource requires replacing.',
    );
  });

  test('cannot change the KeySpec of a key', async () => {
    const Statement = [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }];
    const KeyPolicy = { Version: '2012-10-17', Statement };
    const key = (properties: object) => ({
      Resources: { It: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy, ...properties } } },
      Outputs: { It: reference },
    });
    const stack = lifeCycle(cloud, 'key');
    const created = await stack.create(key({}));
    const update = await stack.update(key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }));
    expect(update).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', outputs: created.outputs });
  });

  test.each<[string, Case]>([
    ['parameter', { ...(replaced['a parameter by Name'] as Case) }],
    ['role', { ...(replaced['a role by RoleName'] as Case) }],
    ['log group', { ...(replaced['a log group by LogGroupName'] as Case) }],
    ['rule', { ...(replaced['a rule by Name'] as Case) }],
    ['function', { ...(replaced['a function by FunctionName'] as Case) }],
    ['bucket', { ...(replaced['a bucket by BucketName'] as Case) }],
    ['alarm', { ...(replaced['an alarm by AlarmName'] as Case) }],
    ['state machine', { ...(replaced['a state machine by StateMachineName'] as Case) }],
    ['queue', { type: 'AWS::SQS::Queue', from: { QueueName: 'taken' }, to: {} }],
    ['topic', { type: 'AWS::SNS::Topic', from: { TopicName: 'taken' }, to: {} }],
    ['event bus', { type: 'AWS::Events::EventBus', from: { Name: 'taken' }, to: {} }],
  ])('do not create a %s of a name that is taken, and leave the one that has it', async (what, one) => {
    const name = what.replaceAll(' ', '-');
    const owner = lifeCycle(cloud, `owner-${name}`);
    expect((await owner.create(template(one, one.from))).status).toBe('CREATE_COMPLETE');
    const second = await lifeCycle(cloud, `second-${name}`).create(template(one, one.from));
    expect(second.status).toBe('ROLLBACK_COMPLETE');
    expect(second.reasons).toMatch(/already exists|AlreadyExists|Validation failed/);
    // It is the owner's still: it can be deleted with its stack, and made again.
    expect((await owner.remove()).status).toBe('DELETE_COMPLETE');
    expect((await owner.create(template(one, one.from))).status).toBe('CREATE_COMPLETE');
    await owner.remove();
  });
});
