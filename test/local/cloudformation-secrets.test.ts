/**
 * What an update does to the value of an AWS::SecretsManager::Secret.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
 * aws-cloudformation/cloudformation-coverage-roadmap#2210 and #1161, aws/aws-cdk#19985
 */

import { rm } from 'node:fs/promises';
import {
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { lifeCycle, parameter } from './support/life-cycle.ts';
import { refusalText } from './support/refusal.ts';

describe('AWS::SecretsManager::Secret', () => {
  let directory: string;
  let cloud: LocalCloud;
  let secrets: SecretsManagerClient;

  beforeAll(async () => {
    directory = await newFolder('secrets');
    cloud = await startCloud({ directory });
    secrets = new SecretsManagerClient(cloud.clientOptions());
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const value = async (SecretId: string, VersionStage = 'AWSCURRENT') =>
    (await secrets.send(new GetSecretValueCommand({ SecretId, VersionStage }))).SecretString ?? '';
  const password = async (SecretId: string, stage?: string) =>
    JSON.parse(await value(SecretId, stage)).password;
  const put = async (SecretId: string, SecretString: string) =>
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
  const generate = (options: object = {}, fields: object = {}) => ({
    GenerateSecretString: {
      SecretStringTemplate: JSON.stringify({ username: 'app', ...fields }),
      GenerateStringKey: 'password',
      PasswordLength: 32,
      ...options,
    },
  });
  const secret = (Name: string | undefined, properties: object) => ({
    Resources: { Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name, ...properties } } },
    Outputs: { Arn: { Value: { Ref: 'Secret' } } },
  });

  test.each([
    ['an option', generate({ PasswordLength: 40 })],
    ['a field of the template', generate({}, { host: 'db' })],
  ])('has a new current value, which nothing else knows, after a change of %s', async (what, changed) => {
    const name = `changed/${what}`.replaceAll(' ', '-');
    const stack = lifeCycle(cloud, name.replaceAll(/[^a-z]/g, '-'));
    await stack.create(secret(name, generate()));
    await put(name, JSON.stringify({ username: 'app', password: 'what the database knows' }));
    expect((await stack.update(secret(name, changed))).status).toBe('UPDATE_COMPLETE');
    expect(await password(name)).not.toBe('what the database knows');
    expect(await password(name, 'AWSPREVIOUS')).toBe('what the database knows');
  });

  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/cfn-example_secret.html
  test('is named after its logical id alone where the template gives no name, and keeps that name', async () => {
    const stack = lifeCycle(cloud, 'unnamed');
    await stack.create(secret(undefined, generate()));
    const names = async () =>
      ((await secrets.send(new ListSecretsCommand({}))).SecretList ?? [])
        .map(({ Name }) => Name)
        .filter((name) => name?.startsWith('Secret-'));
    const [name, ...others] = await names();
    expect(name).toMatch(/^Secret-[A-Za-z0-9]{12,13}$/);
    expect(others).toEqual([]);
    expect((await stack.update(secret(undefined, { ...generate(), Description: 'second' }))).status).toBe(
      'UPDATE_COMPLETE',
    );
    expect(await names()).toEqual([name]);
  });

  test('keeps its value while the block stays as it was, and when the template no longer speaks of it', async () => {
    const stack = lifeCycle(cloud, 'untouched');
    await stack.create(secret('untouched', { ...generate(), Description: 'first' }));
    await put('untouched', 'rotated since');
    for (const properties of [
      { ...generate(), Description: 'second' },
      { ...generate(), Description: 'second', Tags: [{ Key: 'team', Value: 'a' }] },
      { Description: 'third' },
    ]) {
      expect((await stack.update(secret('untouched', properties))).status).toBe('UPDATE_COMPLETE');
      expect(await value('untouched')).toBe('rotated since');
    }
    const described = await secrets.send(new DescribeSecretCommand({ SecretId: 'untouched' }));
    expect(described.Description).toBe('third');
  });

  test('has a third value when the update that generated the second one is taken back', async () => {
    const stack = lifeCycle(cloud, 'taken-back');
    await stack.create(secret('taken-back', generate()));
    const first = await password('taken-back');
    const { Resources } = secret('taken-back', generate({ PasswordLength: 20 }));
    const update = await stack.update({
      Resources: {
        ...Resources,
        Broken: { ...parameter({ 'Fn::ImportValue': 'missing' }), DependsOn: 'Secret' },
      },
    });
    expect(update.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    const third = await password('taken-back');
    expect(third).toHaveLength(32);
    expect(third).not.toBe(first);
    expect(await password('taken-back', 'AWSPREVIOUS')).toHaveLength(20);
  });

  test('takes a new SecretString as a new version', async () => {
    const stack = lifeCycle(cloud, 'plain');
    await stack.create(secret('plain', { SecretString: 'one' }));
    await stack.update(secret('plain', { SecretString: 'two' }));
    expect([await value('plain'), await value('plain', 'AWSPREVIOUS')]).toEqual(['two', 'one']);
  });

  test('is another secret under another name, with a value of its own; the former one is deleted', async () => {
    const stack = lifeCycle(cloud, 'renamed');
    const { outputs } = await stack.create(secret('former', generate()));
    const former = await password('former');
    const update = await stack.update(secret('latter', generate()));
    expect(update.status).toBe('UPDATE_COMPLETE');
    expect(update.outputs.Arn).not.toBe(outputs.Arn);
    expect(await password('latter')).not.toBe(former);
    expect(await refusalText(value('former'))).toContain('ResourceNotFoundException');
  });

  test('is not made under a name that is taken or waits to be deleted, nor with two values', async () => {
    await lifeCycle(cloud, 'owner').create(secret('owned', generate()));
    const second = await lifeCycle(cloud, 'second').create(secret('owned', generate()));
    expect(second).toMatchObject({ status: 'ROLLBACK_COMPLETE' });
    expect(second.reasons).toContain('the secret owned already exists');
    await secrets.send(new DeleteSecretCommand({ SecretId: 'owned' }));
    const third = await lifeCycle(cloud, 'third').create(secret('owned', generate()));
    expect(third.reasons).toContain('already scheduled for deletion');
    const both = await lifeCycle(cloud, 'both').create(secret('both', { ...generate(), SecretString: 'x' }));
    expect(both.reasons).toContain('both SecretString and GenerateSecretString');
  });
});
