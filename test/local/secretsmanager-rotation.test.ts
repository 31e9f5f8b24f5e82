import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  type DescribeSecretResponse,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  type RotateSecretRequest,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { refusal, refusalText } from './support/refusal.ts';
import { deployRotationFunction, type RotationFunction } from './support/rotation.ts';
import { allow } from './support/stack.ts';

const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];
const hour = 3_600;
const day = 24 * hour;
const unfinished =
  "InvalidRequestException: A previous rotation isn't complete. That rotation will be reattempted.";

describe('Rotation in Secrets Manager', () => {
  let directory: string;
  let cloud: LocalCloud;
  let client: SecretsManagerClient;
  let rotation: RotationFunction;
  let made = 0;

  beforeAll(async () => {
    directory = await newFolder('rotation');
    cloud = await startCloud({ directory });
    client = new SecretsManagerClient(cloud.clientOptions());
    rotation = await deployRotationFunction(cloud);
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  afterEach(async () => {
    await rotation.misbehave({});
  });

  async function createSecret(): Promise<string> {
    made += 1;
    const { ARN } = await client.send(
      new CreateSecretCommand({ Name: `rotated/${made}`, SecretString: 'first value' }),
    );
    return ARN ?? '';
  }

  async function rotate(SecretId: string, options: Partial<RotateSecretRequest> = {}): Promise<string> {
    const request = { SecretId, RotationLambdaARN: rotation.arn, ...options };
    const { VersionId } = await client.send(new RotateSecretCommand(request));
    return VersionId ?? '';
  }

  async function described(SecretId: string): Promise<DescribeSecretResponse> {
    return await client.send(new DescribeSecretCommand({ SecretId }));
  }

  async function labelled(secret: string, label: string): Promise<string | undefined> {
    const { VersionIdsToStages = {} } = await described(secret);
    return Object.keys(VersionIdsToStages).find((id) => VersionIdsToStages[id]?.includes(label));
  }

  async function rotated(secret: string, version?: string): Promise<DescribeSecretResponse> {
    return await eventually(`the rotation of ${secret}`, async () => {
      const description = await described(secret);
      const current = Object.entries(description.VersionIdsToStages ?? {}).find(([, labels]) =>
        labels.includes('AWSCURRENT'),
      );
      return description.LastRotatedDate && (!version || current?.[0] === version) ? description : undefined;
    });
  }

  async function stepsOf(secret: string, count: number): Promise<readonly string[]> {
    const events = await eventually(`${count} steps of ${secret}`, async () => {
      const seen = await rotation.events(secret);
      return seen.length >= count ? seen : undefined;
    });
    return events.map((event) => event.Step ?? '');
  }

  test('runs the four steps in the background and moves the labels', async () => {
    const secret = await createSecret();
    const first = await labelled(secret, 'AWSCURRENT');
    const token = randomUUID();
    expect(await rotate(secret, { ClientRequestToken: token })).toBe(token);
    const description = await rotated(secret, token);
    expect(description.VersionIdsToStages?.[first ?? '']).toEqual(['AWSPREVIOUS']);
    expect(description.RotationEnabled).toBe(true);
    expect(description.RotationLambdaARN).toBe(rotation.arn);
    expect(Math.abs(Date.now() - (description.LastRotatedDate?.getTime() ?? 0))).toBeLessThan(60_000);
    expect((await client.send(new GetSecretValueCommand({ SecretId: secret }))).SecretString).toBe(
      `value of ${token}`,
    );
    expect(await stepsOf(secret, 4)).toEqual(steps);
    for (const event of await rotation.events(secret)) {
      expect(event).toMatchObject({ SecretId: secret, ClientRequestToken: token });
      expect(event.RotationToken).toMatch(/^[a-zA-Z0-9-]{36,256}$/);
    }
  });

  test('makes the pending version without a value before the first step', async () => {
    await rotation.misbehave({ SLOW_AT: 'createSecret' });
    const secret = await createSecret();
    const token = await rotate(secret);
    expect(await labelled(secret, 'AWSPENDING')).toBe(token);
    const pending = { SecretId: secret, VersionId: token, VersionStage: 'AWSPENDING' };
    expect(await refusal(client.send(new GetSecretValueCommand(pending)))).toBe('ResourceNotFoundException');
    await rotated(secret, token);
  });

  test('stops at the step that fails, refuses another rotation, and retries the unfinished version', async () => {
    await rotation.misbehave({ FAIL_AT: 'testSecret' });
    const secret = await createSecret();
    const token = await rotate(secret);
    expect(await stepsOf(secret, 3)).toEqual(steps.slice(0, 3));
    expect(await labelled(secret, 'AWSPENDING')).toBe(token);
    expect((await described(secret)).LastRotatedDate).toBeUndefined();
    await rotation.misbehave({});
    expect(await refusalText(client.send(new RotateSecretCommand({ SecretId: secret })))).toBe(unfinished);
    await rotated(secret, token);
    const tokens = (await rotation.events(secret)).map((event) => event.ClientRequestToken);
    expect(new Set(tokens)).toEqual(new Set([token]));
  });

  test('refuses another rotation while one runs, without starting its steps again', async () => {
    await rotation.misbehave({ SLOW_AT: 'setSecret' });
    const secret = await createSecret();
    const token = await rotate(secret);
    expect(await refusalText(client.send(new RotateSecretCommand({ SecretId: secret })))).toBe(unfinished);
    await rotated(secret, token);
    expect(await stepsOf(secret, 4)).toEqual(steps);
  });

  test('takes the same token again as the same rotation', async () => {
    const secret = await createSecret();
    const token = randomUUID();
    await rotate(secret, { ClientRequestToken: token });
    await rotate(secret, { ClientRequestToken: token });
    await rotated(secret, token);
    expect(await rotate(secret, { ClientRequestToken: token })).toBe(token);
    expect(await stepsOf(secret, 4)).toEqual(steps);
    expect(await labelled(secret, 'AWSCURRENT')).toBe(token);
  });

  test('with RotateImmediately false only tests the function and removes the version', async () => {
    const secret = await createSecret();
    const before = await labelled(secret, 'AWSCURRENT');
    const RotationRules = { ScheduleExpression: 'rate(10 days)' };
    await rotate(secret, { RotateImmediately: false, RotationRules });
    expect(await stepsOf(secret, 1)).toEqual(['testSecret']);
    await eventually('the test version to go', async () => !(await labelled(secret, 'AWSPENDING')));
    const description = await described(secret);
    expect(description).toMatchObject({
      RotationEnabled: true,
      VersionIdsToStages: { [before ?? '']: ['AWSCURRENT'] },
    });
    expect(description.LastRotatedDate).toBeUndefined();
    expect(description.NextRotationDate?.getTime()).toBeGreaterThan(Date.now());
  });

  test('refuses a function that is not there, that it may not invoke, and none at all', async () => {
    const secret = await createSecret();
    const none = client.send(new RotateSecretCommand({ SecretId: secret }));
    expect(await refusal(none)).toBe('InvalidRequestException');
    expect(await refusal(rotate(secret, { RotationLambdaARN: 'not an arn of a function' }))).toBe(
      'InvalidParameterException',
    );
    // Recorded on AWS 2024-03-15: test_rotate_secret_invalid_lambda_arn in LocalStack's test_secretsmanager.snapshot.json.
    const notInvoked =
      'AccessDeniedException: Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.';
    const absent = rotate(secret, { RotationLambdaARN: `${rotation.arn}-absent` });
    expect(await refusalText(absent)).toBe(notInvoked);
    const unpermitted = await deployRotationFunction(cloud, false);
    expect(await refusalText(rotate(secret, { RotationLambdaARN: unpermitted.arn }))).toBe(notInvoked);
    expect(await described(secret)).not.toHaveProperty('RotationEnabled');
    expect(await described(secret)).not.toHaveProperty('RotationLambdaARN');
  });

  // Recorded on AWS 2025-03-29: test_rotate_secret_multiple_times_with_lambda_success.
  test('takes the removal of AWSPENDING by a function, and hides versions without labels', async () => {
    const secret = await createSecret();
    const first = await labelled(secret, 'AWSCURRENT');
    const second = await rotate(secret);
    await rotated(secret, second);
    const removal = { SecretId: secret, VersionStage: 'AWSPENDING', RemoveFromVersionId: second };
    await client.send(new UpdateSecretVersionStageCommand(removal));
    expect((await described(secret)).VersionIdsToStages).toEqual({
      [first ?? '']: ['AWSPREVIOUS'],
      [second]: ['AWSCURRENT'],
    });
    const third = await rotate(secret);
    const description = await rotated(secret, third);
    expect(Object.keys(description.VersionIdsToStages ?? {}).sort()).toEqual([second, third].sort());
    const { Versions = [] } = await client.send(new ListSecretVersionIdsCommand({ SecretId: secret }));
    expect(Versions.map((version) => version.VersionId).sort()).toEqual([second, third].sort());
  });

  // Recorded on AWS 2022-09-28: test_update_secret_version_stages_current_pending, list_secret_version_ids_res_2.
  test('a value that is stored by hand takes AWSPENDING off the version that was current', async () => {
    const secret = await createSecret();
    const second = await rotate(secret);
    await rotated(secret, second);
    expect((await described(secret)).VersionIdsToStages?.[second]?.toSorted()).toEqual([
      'AWSCURRENT',
      'AWSPENDING',
    ]);
    const { VersionId: third = '' } = await client.send(
      new PutSecretValueCommand({ SecretId: secret, SecretString: 'by hand' }),
    );
    expect((await described(secret)).VersionIdsToStages).toEqual({
      [second]: ['AWSPREVIOUS'],
      [third]: ['AWSCURRENT'],
    });
    const fourth = await rotate(secret);
    await rotated(secret, fourth);
  });

  test('needs lambda:InvokeFunction of the caller too', async () => {
    const secret = await createSecret();
    const user = await createUser(cloud, 'rotates-only', [allow('secretsmanager:RotateSecret')]);
    const theirs = new SecretsManagerClient(cloud.clientOptions(user.credentials));
    const request = { SecretId: secret, RotationLambdaARN: rotation.arn };
    expect(await refusal(theirs.send(new RotateSecretCommand(request)))).toBe('AccessDeniedException');
    const both = await createUser(cloud, 'rotates', [
      allow('secretsmanager:RotateSecret'),
      allow('lambda:InvokeFunction', rotation.arn),
    ]);
    const permitted = new SecretsManagerClient(cloud.clientOptions(both.credentials));
    await permitted.send(new RotateSecretCommand(request));
    await rotated(secret);
  });

  test.each([
    { AutomaticallyAfterDays: 0 },
    { AutomaticallyAfterDays: 1_001 },
    { AutomaticallyAfterDays: 1, ScheduleExpression: 'rate(1 day)' },
    { ScheduleExpression: 'rate(3 hours)' },
    { ScheduleExpression: 'rate(1001 days)' },
    { ScheduleExpression: 'cron(5 0 * * ? *)' },
    { ScheduleExpression: 'cron(0 * * * ? *)' },
    { ScheduleExpression: 'cron(0 0/3 * * ? *)' },
    { ScheduleExpression: 'cron(0 99 * * ? *)' },
    { ScheduleExpression: 'cron(0 8 32 * ? *)' },
    { ScheduleExpression: 'cron(0 8 1 13 ? *)' },
    { ScheduleExpression: 'every day' },
    { ScheduleExpression: 'rate(4 hours)', Duration: '25h' },
  ])('refuses the schedule %j', async (RotationRules) => {
    const secret = await createSecret();
    expect(await refusal(rotate(secret, { RotationRules }))).toBe('InvalidParameterException');
  });

  test.each([
    [{ AutomaticallyAfterDays: 1 }, 2 * day],
    [{ ScheduleExpression: 'rate(2 days)' }, 3 * day],
    [{ ScheduleExpression: 'rate(4 hours)', Duration: '2h' }, 5 * hour],
    [{ ScheduleExpression: 'cron(0 8 * * ? *)' }, day + hour],
    [{ ScheduleExpression: 'cron(0 /8 * * ? *)' }, 9 * hour],
    [{ ScheduleExpression: 'cron(0 8 SUNL * ? *)' }, 36 * day],
    [{ ScheduleExpression: 'cron(0 8 ? * 1/2 *)' }, 3 * day],
  ])('rotates by the schedule %j when its time comes', async (RotationRules, seconds) => {
    const secret = await createSecret();
    const token = await rotate(secret, { RotationRules });
    const { NextRotationDate: next, LastRotatedDate: last } = await rotated(secret, token);
    expect(next?.getTime()).toBeGreaterThan(last?.getTime() ?? Number.POSITIVE_INFINITY);
    await cloud.advanceClock(seconds);
    const again = await eventually('the scheduled rotation', async () => {
      const description = await described(secret);
      return (description.LastRotatedDate?.getTime() ?? 0) > (last?.getTime() ?? 0) ? description : undefined;
    });
    expect(await labelled(secret, 'AWSPREVIOUS')).toBe(token);
    expect(again.NextRotationDate?.getTime()).toBeGreaterThan(next?.getTime() ?? 0);
    await client.send(new CancelRotateSecretCommand({ SecretId: secret }));
  });

  test('retries a scheduled rotation that failed', async () => {
    const secret = await createSecret();
    const token = await rotate(secret, { RotationRules: { AutomaticallyAfterDays: 1 } });
    await rotated(secret, token);
    await rotation.misbehave({ FAIL_AT: 'setSecret' });
    await cloud.advanceClock(2 * day);
    await stepsOf(secret, 6);
    const pending = await eventually('the pending version', async () => await labelled(secret, 'AWSPENDING'));
    expect(pending).not.toBe(token);
    await rotation.misbehave({});
    await eventually('the failure to be noted', async () => {
      await cloud.advanceClock(hour);
      return (await labelled(secret, 'AWSCURRENT')) === pending;
    });
    await client.send(new CancelRotateSecretCommand({ SecretId: secret }));
  });

  test('counts a value that was stored by hand as a rotation', async () => {
    const secret = await createSecret();
    await rotate(secret, { RotationRules: { AutomaticallyAfterDays: 10 } });
    const { NextRotationDate: next } = await rotated(secret);
    await cloud.advanceClock(3 * day);
    await client.send(new PutSecretValueCommand({ SecretId: secret, SecretString: 'by hand' }));
    const moved = (await described(secret)).NextRotationDate?.getTime() ?? 0;
    expect((moved - (next?.getTime() ?? 0)) / 1_000).toBe(3 * day);
    await client.send(new CancelRotateSecretCommand({ SecretId: secret }));
  });

  test('CancelRotateSecret ends the schedule and the steps, and leaves the labels', async () => {
    await rotation.misbehave({ SLOW_AT: 'createSecret' });
    const secret = await createSecret();
    const token = await rotate(secret, { RotationRules: { AutomaticallyAfterDays: 1 } });
    const cancelled = await client.send(new CancelRotateSecretCommand({ SecretId: secret }));
    expect(cancelled).toMatchObject({ ARN: secret, VersionId: token });
    await cloud.advanceClock(3 * day);
    expect(await stepsOf(secret, 1)).toEqual(['createSecret']);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await stepsOf(secret, 1)).toEqual(['createSecret']);
    const description = await described(secret);
    expect(description.RotationEnabled).toBe(false);
    expect(description.NextRotationDate).toBeUndefined();
    expect(description.RotationLambdaARN).toBe(rotation.arn);
    expect(await labelled(secret, 'AWSPENDING')).toBe(token);
    expect(await refusalText(rotate(secret))).toBe(unfinished);
  });
});
