/**
 * When CloudFormation calls RotateSecret and CancelRotateSecret, and what follows where they are refused.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-rotationschedule.html
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 * aws/aws-cdk#28539, aws-cloudformation/cloudformation-coverage-roadmap#1813
 */

import { rm } from 'node:fs/promises';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { type LifeCycle, lifeCycle, parameter } from './support/life-cycle.ts';
import { deployRotationFunction, type RotationFunction } from './support/rotation.ts';

const refused = "A previous rotation isn't complete. That rotation will be reattempted.";

describe('AWS::SecretsManager::RotationSchedule', () => {
  let directory: string;
  let cloud: LocalCloud;
  let secrets: SecretsManagerClient;
  let rotation: RotationFunction;

  beforeAll(async () => {
    directory = await newFolder('schedules');
    cloud = await startCloud({ directory });
    secrets = new SecretsManagerClient(cloud.clientOptions());
    rotation = await deployRotationFunction(cloud);
  });

  afterEach(async () => {
    await rotation.misbehave({});
    await cloud.read('rules-while-rotating', 'refused');
    await cloud.read('refused-schedule', 'sent-back');
    await cloud.read('respelled-schedule', 'deleted');
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const describeSecret = async (SecretId: string) =>
    await secrets.send(new DescribeSecretCommand({ SecretId }));
  const secret = (Name: string) => ({
    Type: 'AWS::SecretsManager::Secret',
    Properties: { Name, SecretString: 'first' },
  });
  const schedule = (expression: string, properties: object = {}) => ({
    Type: 'AWS::SecretsManager::RotationSchedule',
    Properties: {
      SecretId: { Ref: 'Secret' },
      RotationLambdaARN: rotation.arn,
      RotationRules: { ScheduleExpression: expression },
      ...properties,
    },
  });
  /** The ids of the versions that rotations have begun. */
  const begun = async (name: string) => {
    const { ARN = '' } = await describeSecret(name);
    return new Set((await rotation.events(ARN)).map((event) => event.ClientRequestToken));
  };
  const rotated = async (name: string, times: number) =>
    await eventually(`${times} rotations of ${name}`, async () => {
      const { VersionIdsToStages = {}, LastRotatedDate } = await describeSecret(name);
      const pending = Object.values(VersionIdsToStages).some(
        (stages) => stages.includes('AWSPENDING') && !stages.includes('AWSCURRENT'),
      );
      return LastRotatedDate && !pending && (await begun(name)).size === times;
    });
  /** A stack with a schedule whose rotation stands at AWSPENDING, because its function fails. */
  const stuck = async (name: string): Promise<LifeCycle> => {
    const stack = lifeCycle(cloud, name);
    await rotation.misbehave({ FAIL_AT: 'setSecret' });
    await stack.create({ Resources: { Secret: secret(name), Schedule: schedule('rate(30 days)') } });
    await eventually('the rotation to fail', async () => (await begun(name)).size === 1);
    return stack;
  };

  test('rotates on create and on every change of its own, and on nothing else', async () => {
    const stack = lifeCycle(cloud, 'calls');
    await stack.create({ Resources: { Secret: secret('calls'), Schedule: schedule('rate(30 days)') } });
    await rotated('calls', 1);
    const more = { Secret: secret('calls'), More: parameter('x') };
    await stack.update({ Resources: { ...more, Schedule: schedule('rate(30 days)') } });
    await rotated('calls', 1);
    await stack.update({ Resources: { ...more, Schedule: schedule('rate(10 days)') } });
    await rotated('calls', 2);
    // What is taken back is a change, too.
    const broken = { ...parameter({ 'Fn::ImportValue': 'missing' }), DependsOn: 'Schedule' };
    const update = await stack.update({
      Resources: { ...more, Schedule: schedule('rate(20 days)', {}), Broken: broken },
    });
    expect(['UPDATE_ROLLBACK_COMPLETE', 'UPDATE_ROLLBACK_FAILED']).toContain(update.status);
    expect(update.events.filter((event) => event === 'Schedule UPDATE_IN_PROGRESS')).toHaveLength(2);
  });

  test('rotates nothing when only what it waits for changes', async () => {
    const stack = lifeCycle(cloud, 'row');
    const names = ['row/a', 'row/b', 'row/c'];
    const entries = { A: secret('row/a'), B: secret('row/b'), C: secret('row/c') };
    const of = (name: string, ...DependsOn: string[]) => ({
      ...schedule('rate(30 days)', { SecretId: { Ref: name } }),
      ...(DependsOn.length > 0 && { DependsOn }),
    });
    const both = { ScheduleA: of('A'), ScheduleC: of('C', 'ScheduleA') };
    await stack.create({ Resources: { ...entries, ...both } });
    await rotated('row/a', 1);
    await rotated('row/c', 1);
    const between = { ScheduleB: of('B', 'ScheduleA'), ScheduleC: of('C', 'ScheduleB') };
    const update = await stack.update({ Resources: { ...entries, ScheduleA: of('A'), ...between } });
    expect(update.status).toBe('UPDATE_COMPLETE');
    expect(update.events.filter((event) => /^Schedule[AC]/.test(event))).toEqual([]);
    await rotated('row/b', 1);
    const taken = await stack.update({ Resources: { ...entries, ...both } });
    expect(taken.status).toBe('UPDATE_COMPLETE');
    expect(taken.events.filter((event) => /^Schedule[AC]/.test(event))).toEqual([]);
    for (const name of names) expect(await begun(name)).toHaveProperty('size', 1);
  });

  test('is refused an update while a rotation is stuck, and the rollback is refused likewise', async () => {
    const stack = await stuck('stuck');
    const update = await stack.update({
      Resources: { Secret: secret('stuck'), Schedule: schedule('rate(10 days)') },
    });
    expect(update.status).toBe('UPDATE_ROLLBACK_FAILED');
    expect(update.reasons.split(refused).length - 1).toBeGreaterThanOrEqual(2);
    expect((await describeSecret('stuck')).RotationRules?.ScheduleExpression).toBe('rate(30 days)');
    // A stack that has no schedule to update is none the worse for it.
    const other = lifeCycle(cloud, 'beside');
    expect((await other.create({ Resources: { More: parameter('x') } })).status).toBe('CREATE_COMPLETE');
  });

  test('that was refused may also be left alone by the rollback', async () => {
    await cloud.read('refused-schedule', 'left');
    const stack = await stuck('left');
    const update = await stack.update({
      Resources: { Secret: secret('left'), Schedule: schedule('rate(10 days)') },
    });
    expect(update.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(update.reasons).toContain(refused);
  });

  test('may take new rules alone while a rotation is stuck, if AWS is read so, and nothing else', async () => {
    await cloud.read('rules-while-rotating', 'accepted');
    await cloud.read('refused-schedule', 'left');
    const stack = await stuck('lenient');
    const resources = (properties: object) => ({
      Resources: { Secret: secret('lenient'), Schedule: schedule('rate(10 days)', properties) },
    });
    expect((await stack.update(resources({}))).status).toBe('UPDATE_COMPLETE');
    expect((await describeSecret('lenient')).RotationRules?.ScheduleExpression).toBe('rate(10 days)');
    const update = await stack.update(resources({ RotateImmediatelyOnUpdate: false }));
    expect(update.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(update.reasons).toContain(refused);
  });

  test('under another logical id is on for a moment only: deleting the former one turns rotation off', async () => {
    const stack = lifeCycle(cloud, 'logical');
    await stack.create({ Resources: { Secret: secret('logical'), Former: schedule('rate(30 days)') } });
    await rotated('logical', 1);
    const update = await stack.update({
      Resources: { Secret: secret('logical'), Latter: schedule('rate(30 days)') },
    });
    expect(update.status).toBe('UPDATE_COMPLETE');
    expect((await describeSecret('logical')).RotationEnabled).toBe(false);
  });

  test('whose creation is taken back turns off the rotation that another stack had turned on', async () => {
    const owner = lifeCycle(cloud, 'owner');
    await owner.create({ Resources: { Secret: secret('shared'), Schedule: schedule('rate(30 days)') } });
    await rotated('shared', 1);
    const { ARN } = await describeSecret('shared');
    const broken = { ...parameter({ 'Fn::ImportValue': 'missing' }), DependsOn: 'Schedule' };
    const ending = await lifeCycle(cloud, 'guest').create({
      Resources: { Schedule: schedule('rate(10 days)', { SecretId: ARN }), Broken: broken },
    });
    expect(ending.status).toBe('ROLLBACK_COMPLETE');
    expect((await describeSecret('shared')).RotationEnabled).toBe(false);
  });

  test('of another secret is another schedule: the former secret rotates no more', async () => {
    const stack = lifeCycle(cloud, 'moved');
    const both = { Secret: secret('moved/a'), Other: secret('moved/b') };
    await stack.create({ Resources: { ...both, Schedule: schedule('rate(30 days)') } });
    await rotated('moved/a', 1);
    const moved = schedule('rate(30 days)', { SecretId: { Ref: 'Other' } });
    expect((await stack.update({ Resources: { ...both, Schedule: moved } })).status).toBe('UPDATE_COMPLETE');
    expect((await describeSecret('moved/a')).RotationEnabled).toBe(false);
    expect((await describeSecret('moved/b')).RotationEnabled).toBe(true);
  });

  test.each([
    ['deleted', false],
    ['kept', true],
  ] as const)(
    'of the same secret in another spelling is another schedule; the former one is %s',
    async (reading, enabled) => {
      await cloud.read('respelled-schedule', reading);
      const name = `spelled/${reading}`;
      const stack = lifeCycle(cloud, `spelled-${reading}`);
      await stack.create({ Resources: { Secret: secret(name), Schedule: schedule('rate(30 days)') } });
      await rotated(name, 1);
      const { ARN = '' } = await describeSecret(name);
      const SecretId = ARN.replace(/-[A-Za-z0-9]{6}$/, '');
      const respelled = schedule('rate(30 days)', { SecretId, RotateImmediatelyOnUpdate: false });
      const update = await stack.update({ Resources: { Secret: secret(name), Schedule: respelled } });
      expect(update.status).toBe('UPDATE_COMPLETE');
      expect((await describeSecret(name)).RotationEnabled).toBe(enabled);
    },
  );

  test('that the template keeps when it is replaced goes on rotating its secret', async () => {
    const stack = lifeCycle(cloud, 'spelled-retained');
    await stack.create({ Resources: { Secret: secret('retained'), Schedule: schedule('rate(30 days)') } });
    await rotated('retained', 1);
    const { ARN = '' } = await describeSecret('retained');
    const SecretId = ARN.replace(/-[A-Za-z0-9]{6}$/, '');
    const respelled = {
      ...schedule('rate(30 days)', { SecretId, RotateImmediatelyOnUpdate: false }),
      UpdateReplacePolicy: 'Retain',
    };
    const update = await stack.update({ Resources: { Secret: secret('retained'), Schedule: respelled } });
    expect(update.status).toBe('UPDATE_COMPLETE');
    expect((await describeSecret('retained')).RotationEnabled).toBe(true);
  });
});
