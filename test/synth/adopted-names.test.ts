import { beforeEach, describe, expect, test } from '@jest/globals';
import { CfnParameter, type Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine,
  DatabaseSecret,
} from 'aws-cdk-lib/aws-rds';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { definitionParameter } from '../../core/deployed/names.ts';
import { AuditLog, ContainmentFunction, RekeyBus, RotatedSecret, RotationFunction } from '../../lib/index.ts';
import { definitionsIn, testStack } from './support/app.ts';

/** Parts of the ARN that Secrets Manager gives a secret. The last part is the name and a suffix. */
const arnOf = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;

/** Evaluates what CloudFormation makes of the functions that join and divide texts; every reference is `ref`. */
function evaluate(value: unknown, ref: string): string | readonly string[] {
  if (typeof value === 'string') return value;
  const [[name, argument] = []] = Object.entries(value as Record<string, unknown>);
  const all = argument as [never, never];
  switch (name) {
    case 'Ref':
      return ref;
    case 'Fn::Join':
      return [evaluateList(all[1], ref)].flat().join(all[0]);
    case 'Fn::Split':
      return String(evaluate(all[1], ref)).split(all[0]);
    case 'Fn::Select':
      return evaluateList(all[1], ref)[Number(all[0])] ?? 'out of range';
    default:
      throw new Error(`cannot evaluate ${JSON.stringify(value)}`);
  }
}

function evaluateList(value: unknown, ref: string): readonly string[] {
  if (!Array.isArray(value)) return evaluate(value, ref) as readonly string[];
  return value.map((one) => String(evaluate(one, ref)));
}

let stack: Stack;
let functions: Pick<ConstructorParameters<typeof RotatedSecret>[2], 'rotation' | 'containment'>;
beforeEach(() => {
  const { bus, auditQueue, ...made } = testStack();
  stack = made.stack;
  const target = { type: 'postgresql', strategy: 'single-user', bus, auditQueue } as const;
  functions = {
    rotation: new RotationFunction(stack, 'Rotation', target),
    containment: new ContainmentFunction(stack, 'Containment', target),
  };
});

const adopt = (secret: ISecret) =>
  new RotatedSecret(stack, 'Orders', { secret: { adopt: secret }, ...functions, owner: 'team-orders' });

/** Gives the name of the definition's parameter, where every reference to a secret has this ARN. */
function parameterName(arn: string): string {
  const template = Template.fromStack(stack);
  expect(JSON.stringify(template.toJSON())).not.toMatch(/Token\[|\.24\.7b/);
  const [[, definition] = []] = definitionsIn(template);
  return String(evaluate(definition?.Properties.Name, arn));
}

describe('the definition of an adopted secret lies where a revocation looks for it', () => {
  const cluster = (secretName?: string) =>
    new DatabaseCluster(stack, 'Cluster', {
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_16_4 }),
      vpc: new Vpc(stack, 'Vpc') as IVpc,
      writer: ClusterInstance.serverlessV2('Writer'),
      credentials: Credentials.fromGeneratedSecret('admin', secretName === undefined ? {} : { secretName }),
    }).secret as ISecret;

  test.each<[string, string, () => ISecret]>([
    [
      'that CloudFormation names',
      'OrdersSecret12345678-q1W2e3R4t5Y6',
      () => new Secret(stack, 'Own') as ISecret,
    ],
    ['of a database that CloudFormation names', 'ClusterSecretDE0C-aBcDeFgHiJkL', () => cluster()],
    ['of a database, named', 'prod/orders+admin@eu.1', () => cluster('prod/orders+admin@eu.1')],
    [
      'of this app, named',
      '/prod/orders_admin-1',
      () => new Secret(stack, 'Own', { secretName: '/prod/orders_admin-1' }) as ISecret,
    ],
    [
      'of RDS without a database, named',
      'a.b/c=d-e',
      () => new DatabaseSecret(stack, 'Own', { username: 'a', secretName: 'a.b/c=d-e' }) as ISecret,
    ],
    ['imported by name', '/prod/it', () => Secret.fromSecretNameV2(stack, 'Own', '/prod/it')],
    ['imported by ARN', '/prod/it', () => Secret.fromSecretCompleteArn(stack, 'Own', arnOf('/prod/it'))],
  ])('%s', (_, name, make) => {
    adopt(make());
    expect(parameterName(arnOf(name))).toBe(definitionParameter('test', name));
  });

  test('whose name is a parameter of the stack', () => {
    const secretName = new CfnParameter(stack, 'Name').valueAsString;
    adopt(new Secret(stack, 'Own', { secretName }) as ISecret);
    expect(parameterName('team/orders_1+x=y@z.com')).toBe(
      definitionParameter('test', 'team/orders_1+x=y@z.com'),
    );
  });

  test('but not where only an ARN is known, and only at the deploy: no name can be told from it', () => {
    const arn = new CfnParameter(stack, 'Arn').valueAsString;
    expect(() => adopt(Secret.fromSecretCompleteArn(stack, 'Own', arn))).toThrow(
      'Own: its ARN is known at the deploy alone, and its name with it, by which a revocation finds it; adopt it by name, as { id: … }',
    );
  });
});

test('the name of a secret that Rekey creates must be known at synth', () => {
  const name = new CfnParameter(stack, 'Name').valueAsString;
  const create = {
    name,
    fields: { engine: 'postgres', host: 'db', username: 'orders' },
    encryptionKey: new Key(stack, 'Key'),
  };
  expect(
    () => new RotatedSecret(stack, 'Orders', { secret: { create }, ...functions, owner: 'team-orders' }),
  ).toThrow('Orders: create.name must be known at synth');
});

test('an app that joins an environment is told that a revocation may not replace what it adopts', () => {
  const bus = RekeyBus.fromEnvironment(stack, 'Joined', 'prod');
  const auditQueue = AuditLog.queueFromEnvironment(stack, 'JoinedQueue', 'prod');
  const target = { type: 'postgresql', strategy: 'single-user', bus, auditQueue } as const;
  const rotation = new RotationFunction(stack, 'JoinedRotation', target);
  const containment = new ContainmentFunction(stack, 'JoinedContainment', target);
  new RotatedSecret(stack, 'Orders', {
    secret: { adopt: { id: 'orders' } },
    rotation,
    containment,
    owner: 'team-orders',
  });
  Annotations.fromStack(stack).hasWarning(
    '/test/Orders',
    Match.stringLikeRegexp(
      'may replace only secrets named /prod/… that Rekey created; adopt orders in the app',
    ),
  );
});
