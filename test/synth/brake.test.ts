import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { RotationFunction, type RotationFunctionProps } from '../../lib/rotation/rotation-function.ts';
import { type Statement, statements, testApp, testStack } from './support/app.ts';

function construct(change: Partial<RotationFunctionProps> = {}, ids = ['Rotation']) {
  const { stack, bus, auditQueue } = testStack();
  const functions = ids.map(
    (id) =>
      new RotationFunction(stack, id, {
        type: 'postgresql',
        strategy: 'single-user',
        bus,
        auditQueue,
        ...change,
      }),
  );
  const template = () => Template.fromStack(stack);
  return { stack, functions, template };
}

const variablesOf = (template: Template): Record<string, string>[] =>
  Object.values(template.findResources('AWS::Lambda::Function')).map(
    ({ Properties }) => Properties.Environment.Variables,
  );
const codeOf = (change: Partial<RotationFunctionProps> = {}) =>
  variablesOf(construct(change).template())[0]?.REKEY_CODE;
const brakeStatements = (all: readonly Statement[]) =>
  all.filter(({ Action }) =>
    [Action].flat().some((action) => action.startsWith('ssm:') && action !== 'ssm:GetParameter'),
  );

describe('which code a function is', () => {
  test('is the same in every synth until something of it changes', () => {
    expect(codeOf()).toMatch(/^[0-9a-f]{16}$/);
    expect(codeOf()).toBe(codeOf());
  });

  test.each<[string, Partial<RotationFunctionProps>]>([
    ['a rule for passwords', { passwordEnvironment: { PASSWORD_LENGTH: '24' } }],
    ['a setting of trust', { allowPlaintext: true }],
    ['another bundle', { type: 'mysql' }],
    ['the brake itself', { brakeAfter: 3 }],
  ])('is another after a change of %s', (_what, change) => {
    expect(codeOf(change)).not.toBe(codeOf());
  });

  test('is another in another network', () => {
    const inVpc = (ids: readonly string[]) => {
      const { stack, bus, auditQueue } = testStack();
      const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
        vpcId: 'vpc-1',
        availabilityZones: ['a'],
        privateSubnetIds: ['subnet-1'],
        privateSubnetRouteTableIds: ['rtb-1'],
      });
      const securityGroups = ids.map((id) => SecurityGroup.fromSecurityGroupId(stack, id, id));
      new RotationFunction(stack, 'Rotation', {
        type: 'postgresql',
        strategy: 'single-user',
        bus,
        auditQueue,
        network: { vpc, securityGroups },
      });
      return variablesOf(Template.fromStack(stack))[0]?.REKEY_CODE;
    };
    expect(inVpc(['sg-1'])).toBe(inVpc(['sg-1']));
    expect(inVpc(['sg-1'])).not.toBe(inVpc(['sg-2']));
  });

  test('is the same after a change of what nobody runs', () => {
    expect(codeOf({ logRetention: 7 })).toBe(codeOf());
  });
});

describe('a brake', () => {
  test('has a name of its own for each function, and 5 where nothing else is said', () => {
    const [one, other] = variablesOf(construct({}, ['One', 'Other']).template());
    expect(one?.REKEY_BRAKE).toMatch(/^[A-Za-z0-9-]+$/);
    expect(one?.REKEY_BRAKE).not.toBe(other?.REKEY_BRAKE);
    expect(one?.REKEY_BRAKE_AFTER).toBe('5');
  });

  test('lets its function read, replace and forget the states of its own, and overwrite none', () => {
    const template = construct().template();
    const name = variablesOf(template)[0]?.REKEY_BRAKE;
    const found = brakeStatements(statements(template, /^RotationFunctionRoleDefaultPolicy/));
    const below = `parameter/rekey/test/brakes/${name}`;
    const resources = (resource: unknown) =>
      [resource].flat().map((one) => JSON.stringify(one).match(/parameter\/[^"]*/)?.[0]);
    expect(found.map(({ Action, Resource }) => [Action, resources(Resource)])).toEqual([
      ['ssm:GetParametersByPath', [below, `${below}/*`]],
      ['ssm:PutParameter', [`${below}/*`]],
      ['ssm:DeleteParameter', [`${below}/*`]],
    ]);
    expect(found[1]?.Condition).toEqual({ StringNotEquals: { 'ssm:Overwrite': 'true' } });
  });

  test('that is switched off leaves nothing: no variable, no permission', () => {
    const template = construct({ brakeAfter: 0 }).template();
    expect(Object.keys(variablesOf(template)[0] ?? {}).filter((name) => /BRAKE|CODE/.test(name))).toEqual([]);
    expect(brakeStatements(statements(template, /^RotationFunctionRoleDefaultPolicy/))).toEqual([]);
  });

  test.each([1, 11, 2.5, -1])('after %d secrets is refused', (brakeAfter) => {
    expect(() => construct({ brakeAfter })).toThrow(/2 to 10/);
  });
});

describe('an environment', () => {
  const build = (brakeAfter?: number) => {
    const { environments } = defineConfig({
      environments: {
        dev: {
          account: '111122223333',
          region: 'eu-central-1',
          audit: { retentionDays: 1 },
          access: { operators: ['111122223333'] },
          ...(brakeAfter !== undefined && { rotation: { brakeAfter } }),
          secrets: {
            orders: { type: 'postgresql', strategy: 'single-user', adopt: 'orders', owner: 'team-orders' },
          },
        },
      },
    });
    const { dev: configuration } = environments;
    if (configuration === undefined) throw new Error('no environment');
    const { foundation, access, rotations } = new RekeyEnvironment(testApp(), 'dev', {
      configuration,
      directory: import.meta.dirname,
    });
    const [foundations, roles, rotation] = [foundation, access, rotations[0] ?? access].map((stack) =>
      Template.fromStack(stack),
    );
    const alarms = Object.values(foundations?.findResources('AWS::CloudWatch::Alarm') ?? {}).map(
      ({ Properties }) => Properties,
    );
    return { alarms, operator: brakeStatements(statements(roles as Template, /^Operator/)), rotation };
  };

  test('has one alarm for all brakes, and operators who may let go of them', () => {
    const { alarms, operator, rotation } = build(3);
    expect(alarms.find(({ AlarmName }) => AlarmName === 'rekey-dev-rotation-braked')).toMatchObject({
      MetricName: 'RotationBraked',
      Namespace: 'Rekey',
      Threshold: 1,
      AlarmDescription: expect.stringContaining('docs/runbooks/rotation-braked.md'),
    });
    expect(
      operator
        .filter(({ Effect, Resource }) => Effect === 'Allow' && JSON.stringify(Resource).includes('brakes'))
        .map(({ Action }) => Action),
    ).toEqual(['ssm:GetParametersByPath', 'ssm:PutParameter']);
    expect(JSON.stringify(rotation)).toContain('"REKEY_BRAKE_AFTER":"3"');
  });

  test('that switches it off has none of that', () => {
    const { alarms, operator, rotation } = build(0);
    expect(alarms.map(({ MetricName }) => MetricName)).not.toContain('RotationBraked');
    expect(JSON.stringify(operator)).not.toContain('brakes');
    expect(JSON.stringify(rotation)).not.toMatch(/REKEY_BRAKE|REKEY_CODE/);
  });

  test('cannot be braked by one secret', () => {
    expect(() => build(1)).toThrow(/rotation\.brakeAfter.*never stops the others/);
  });
});
