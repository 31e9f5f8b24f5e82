import { describe, expect, test } from '@jest/globals';
import { Aws } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { defineConfig } from '../../lib/config/config.ts';
import type { ConfigurationInput, LooseSecretInput, SecretInput } from '../../lib/config/schema.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { ContainmentFunction } from '../../lib/revocation/containment-function.ts';
import { ForeignRotationFunction } from '../../lib/rotation/foreign-rotation-function.ts';
import { RotationFunction } from '../../lib/rotation/rotation-function.ts';
import { RotatedSecret } from '../../lib/secret/rotated-secret.ts';
import type { CreatedSecret } from '../../lib/secret/secret-entry.ts';
import { definitionsIn, type Statement, testApp, testStack } from './support/app.ts';

type Environment = ConfigurationInput['environments'][string];

const created = (fields: CreatedSecret['fields'], change: Partial<LooseSecretInput> = {}) =>
  ({
    type: 'postgresql',
    strategy: 'single-user',
    create: { name: 'orders', fields },
    owner: 'team-orders',
    adminSecret: { adopt: 'database-admin' },
    ...change,
  }) as SecretInput;

const fields = { engine: 'postgres', host: 'db.internal', username: 'orders' };

/** The secrets of an environment as the template has them, and their definitions. */
function deployed(secrets: Record<string, SecretInput>, more: Partial<Environment> = {}) {
  const { environments } = defineConfig({
    environments: { prod: { audit: { retentionDays: 30 }, secrets, ...more } },
  });
  const { prod } = environments;
  if (prod === undefined) throw new Error('no environment');
  const { rotations } = new RekeyEnvironment(testApp(), 'prod', {
    configuration: prod,
    directory: import.meta.dirname,
  });
  const [rotation] = rotations;
  if (rotation === undefined) throw new Error('no secrets');
  const template = Template.fromStack(rotation);
  return {
    secrets: JSON.stringify(template.findResources('AWS::SecretsManager::Secret')),
    definitions: JSON.stringify(template.findResources('AWS::SSM::Parameter')),
  };
}

describe('a created secret', () => {
  // CloudFormation generates a new value, and makes it current, whenever anything changes that the value is made from.
  test.each<[string, Record<string, SecretInput>, Partial<Environment>]>([
    ['its fields', { orders: created({ ...fields, host: 'new.internal', team: 'sales' }) }, {}],
    ['its admin secret', { orders: created(fields, { adminSecret: { adopt: 'another' } }) }, {}],
    ['that it has an admin secret', { orders: { ...created(fields), adminSecret: undefined } }, {}],
    ['its strategy', { orders: created(fields, { strategy: 'alternating-users' }) }, {}],
    ['its owner and schedule', { orders: created(fields, { owner: 'x', schedule: 'rate(7 days)' }) }, {}],
    [
      'the rules for passwords',
      { orders: created(fields) },
      { passwords: { length: 40, excludePunctuation: true, excludeCharacters: 'abc' } },
    ],
  ])('keeps its live value whatever the configuration changes: %s', (_, secrets, more) => {
    const before = deployed({ orders: created(fields) });
    const after = deployed(secrets, more);
    expect(after.secrets).toBe(before.secrets);
    expect(after.secrets).not.toContain('db.internal');
  });

  test('of any two types and rules has the same beginning', () => {
    const { secrets } = deployed({
      orders: created(fields),
      token: {
        type: 'generic',
        strategy: 'single-user',
        create: { name: 'token', fields: { team: 'x' } },
        owner: 'x',
      },
    });
    const rules = Object.values<{ Properties: { GenerateSecretString: unknown } }>(JSON.parse(secrets)).map(
      ({ Properties }) => JSON.stringify(Properties.GenerateSecretString),
    );
    expect(rules).toHaveLength(2);
    expect(new Set(rules).size).toBe(1);
  });
});

const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-AbCdEf';

function scene(content: CreatedSecret['fields'], names: readonly string[] = ['orders'], foreign = false) {
  const { stack, bus, auditQueue } = testStack();
  const shared = { environment: 'test', bus, auditQueue, strategy: 'single-user' } as const;
  const rotation = foreign
    ? new ForeignRotationFunction(stack, 'Rotation', {
        functionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:theirs',
        strategy: 'single-user',
      })
    : new RotationFunction(stack, 'Rotation', { ...shared, type: 'postgresql' });
  const containment = new ContainmentFunction(stack, 'Containment', {
    ...shared,
    type: foreign ? 'external' : 'postgresql',
  });
  const encryptionKey = new Key(stack, 'Key');
  for (const name of names) {
    new RotatedSecret(stack, `Secret-${name}`, {
      secret: { create: { name: `/test/${name}`, fields: content, encryptionKey } },
      adminSecret: { id: adminArn },
      rotation,
      containment,
      owner: 'team',
    });
  }
  return { stack, template: () => Template.fromStack(stack) };
}

describe('the definition of a created secret', () => {
  test('holds its fields and its admin secret, values that only the deploy knows included', () => {
    const host = `db.${Aws.URL_SUFFIX}`;
    const { template } = scene({ engine: 'postgres', username: 'orders', host, port: 5432, tls: true });
    const [[, parameter] = []] = definitionsIn(template());
    const [, parts] = (parameter as unknown as { Properties: { Value: { 'Fn::Join': [string, unknown[]] } } })
      .Properties.Value['Fn::Join'];
    expect(parts).toContainEqual({ Ref: 'AWS::URLSuffix' });
    const text = parts.map((part) => (typeof part === 'string' ? part : 'token')).join('');
    expect(JSON.parse(text).content).toEqual({
      fields: { engine: 'postgres', username: 'orders', host: 'db.token', port: 5432, tls: true },
      masterarn: adminArn,
    });
  });

  test('is there before a rotation that the same deploy starts', () => {
    const template = scene(fields).template();
    const [schedule] = Object.values(template.findResources('AWS::SecretsManager::RotationSchedule'));
    const [[definition] = []] = definitionsIn(template);
    expect(schedule?.DependsOn).toContain(definition);
  });

  test('is refused before it is longer than a parameter may be', () => {
    expect(() => scene({ ...fields, motto: 'x'.repeat(3_000) })).not.toThrow();
    expect(() => scene({ ...fields, motto: 'x'.repeat(3_900) })).toThrow(
      /the definition of \/test\/orders would have about \d{4} bytes, and an SSM parameter takes 4096; shorten create\.fields/,
    );
    expect(() => scene({ ...fields, motto: '\u00e4'.repeat(1_900) })).toThrow('4096');
  });

  test('may be read by the function of the secret, which may set one tag of the secret and no other', () => {
    const names = Array.from({ length: 17 }, (_, index) => `number-${index}`);
    const template = scene(fields, names).template();
    // Over as many policies as their sizes ask for.
    const all = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
      Object.entries(template.findResources(type))
        .filter(([id]) => id.startsWith('Rotation'))
        .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Statement[]),
    );
    const read = all.filter(({ Action }) => Action === 'ssm:GetParameter');
    expect(read.flatMap(({ Resource }) => Resource)).toHaveLength(17);
    const parameter = (name: string) =>
      `:ssm:eu-central-1:111122223333:parameter/rekey/test/secrets/.2ftest.2f${name}`;
    for (const name of names) expect(JSON.stringify(read)).toContain(`${parameter(name)}"`);
    const note = all.filter(({ Action }) => Action === 'secretsmanager:TagResource');
    expect(note.flatMap(({ Resource }) => Resource)).toHaveLength(17);
    for (const { Condition } of note) {
      expect(Condition).toEqual({
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['rekey:content'] },
        Null: { 'aws:TagKeys': 'false' },
      });
    }
    const secrets = Object.keys(template.findResources('AWS::SecretsManager::Secret')).map((Ref) => ({
      Ref,
    }));
    expect(note.flatMap(({ Resource }) => Resource)).toEqual(expect.arrayContaining(secrets));
  });

  test('needs a function that reads it: one that is not Rekey\u2019s is refused', () => {
    expect(() => scene(fields, ['orders'], true)).toThrow('store the secret first and adopt it');
  });
});
