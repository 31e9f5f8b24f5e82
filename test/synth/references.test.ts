import { beforeAll, describe, expect, test } from '@jest/globals';
import { type App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import type { ConfigurationInput } from '../../lib/config/schema.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import example from '../../rekey.config.ts';
import { testApp } from './support/app.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}
interface Deployed {
  readonly Resources?: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown; readonly Export?: unknown }>>;
}

/** The templates of an environment by the names of their stacks. */
function templatesOf(environment: RekeyEnvironment): Map<string, Deployed> {
  const stacks = environment.node.children.filter((child) => Stack.isStack(child));
  return new Map(stacks.map((stack) => [stack.stackName, Template.fromStack(stack).toJSON()]));
}

const built = new Map<unknown, Map<string, Deployed>>();

/** The templates of a configuration, which several tests start from: synthesized once. */
function build(input: ConfigurationInput, name: string): Map<string, Deployed> {
  const environment = input.environments[name];
  const templates = built.get(environment) ?? synthesize(input, name, testApp());
  built.set(environment, templates);
  return templates;
}

function synthesize(input: ConfigurationInput, name: string, app: App): Map<string, Deployed> {
  const configuration = defineConfig(input).environments[name];
  if (configuration === undefined) throw new Error(`no environment ${name}`);
  return templatesOf(new RekeyEnvironment(app, name, { configuration, directory: import.meta.dirname }));
}

/** What a template reads of other stacks: pairs of a stack's name and an output. */
function readsOf(value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null) return [];
  const read = (value as { 'Fn::GetStackOutput'?: { StackName: string; OutputName: string } })[
    'Fn::GetStackOutput'
  ];
  return read === undefined ? Object.values(value).flatMap(readsOf) : [[read.StackName, read.OutputName]];
}

const orders = {
  type: 'postgresql' as const,
  strategy: 'single-user' as const,
  create: { name: 'orders', fields: { engine: 'postgres', username: 'orders', host: 'db.internal' } },
  adminSecret: { adopt: 'admin' },
  owner: 'team-orders',
};
const key = {
  type: 'iam-access-key' as const,
  strategy: 'dual-credential' as const,
  adopt: 'key',
  resources: ['arn:aws:iam::111122223333:user/orders'],
  owner: 'team-orders',
};
const existing = { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0a1b2c3d'], egress: [] };
type Environment = ConfigurationInput['environments'][string];
const of = (more: Partial<Environment>): ConfigurationInput => ({
  environments: {
    prod: {
      account: '111122223333',
      region: 'eu-central-1',
      audit: { retentionDays: 30 },
      access: { operators: ['111122223333'], responders: ['111122223333'], auditors: ['111122223333'] },
      secrets: { orders, key },
      ...more,
    },
  },
});
const create = {
  connect: [{ to: '10.8.0.0/16', vpcId: 'vpc-0a1b2c3d' }],
  egress: [{ to: '10.8.0.0/16', port: 5432 }],
};
const base = of({ networks: { database: { existing }, own: { create } } });
const inOwn = { orders: { ...orders, network: 'own' }, key };

const samples: [string, ConfigurationInput, string][] = [
  ['the example, dev', example, 'dev'],
  ['the example, prod', example, 'prod'],
  ['several types and roles', base, 'prod'],
];

test.each(samples)('no stack holds on to another: %s', (_, input, name) => {
  for (const template of build(input, name).values()) {
    expect(JSON.stringify(template)).not.toContain('Fn::ImportValue');
    for (const output of Object.values(template.Outputs ?? {})) {
      expect(output.Export).toBeUndefined();
    }
  }
});

test('an app of one’s own needs no setting for that', () => {
  const templates = synthesize(base, 'prod', testApp({ flags: {} }));
  expect(JSON.stringify([...templates.values()])).not.toContain('Fn::ImportValue');
});

/** Properties whose change has CloudFormation replace what another stack may read of. */
const replacing: Readonly<Record<string, readonly string[]>> = {
  'AWS::EC2::VPC': ['CidrBlock'],
  'AWS::EC2::Subnet': ['CidrBlock', 'AvailabilityZone', 'VpcId'],
  'AWS::EC2::SecurityGroup': ['GroupDescription', 'GroupName', 'VpcId'],
  'AWS::Events::EventBus': ['Name'],
  'AWS::KMS::Key': ['KeySpec', 'MultiRegion'],
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
  'AWS::S3::Bucket': ['BucketName'],
  'AWS::SecretsManager::Secret': ['Name'],
  'AWS::SNS::Topic': ['TopicName', 'FifoTopic'],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 'StateMachineType'],
};

/** The resource that an output tells of. */
function source(output: { readonly Value: unknown } | undefined): string | undefined {
  const value = output?.Value as { Ref?: string; 'Fn::GetAtt'?: [string, string] } | undefined;
  return value?.Ref ?? value?.['Fn::GetAtt']?.[0];
}

describe('between any two configurations', () => {
  const changes: [string, ConfigurationInput, ConfigurationInput][] = [
    ['a secret is taken out', base, of({ secrets: { orders } })],
    ['all secrets are taken out', base, of({ secrets: {} })],
    [
      'a strategy changes',
      base,
      of({ secrets: { orders: { ...orders, strategy: 'alternating-users' }, key } }),
    ],
    [
      'a secret gets a network',
      base,
      of({
        networks: { database: { existing } },
        secrets: { orders: { ...orders, network: 'database' }, key },
      }),
    ],
    [
      'resources get wider',
      base,
      of({
        secrets: {
          orders,
          key: { ...key, resources: [...key.resources, 'arn:aws:iam::111122223333:user/more'] },
        },
      }),
    ],
    ['the roles go', base, of({ access: {} })],
    [
      'a network gets another range',
      of({ networks: { own: { create } }, secrets: inOwn }),
      of({ networks: { own: { create: { ...create, cidr: '10.9.0.0/20' } } }, secrets: inOwn }),
    ],
    [
      'a network gets a third zone',
      of({ networks: { own: { create } }, secrets: inOwn }),
      of({ networks: { own: { create: { ...create, availabilityZones: 3 } } }, secrets: inOwn }),
    ],
    [
      'a network gets other zones',
      of({
        networks: { own: { create: { ...create, availabilityZones: ['eu-central-1a'] } } },
        secrets: inOwn,
      }),
      of({
        networks: { own: { create: { ...create, availabilityZones: ['eu-central-1b'] } } },
        secrets: inOwn,
      }),
    ],
    [
      'a network is in another VPC',
      of({ networks: { own: { existing } }, secrets: inOwn }),
      of({ networks: { own: { existing: { ...existing, vpcId: 'vpc-0b1b2c3d' } } }, secrets: inOwn }),
    ],
  ];

  describe.each(changes)('%s', (_, from, to) => {
    let before: Map<string, Deployed>;
    let after: Map<string, Deployed>;
    beforeAll(() => {
      before = build(from, 'prod');
      after = build(to, 'prod');
    });

    test('whatever a stack reads is there', () => {
      for (const templates of [before, after]) {
        for (const [stack, output] of [...templates.values()].flatMap(readsOf)) {
          expect([stack, Object.keys(templates.get(stack)?.Outputs ?? {})]).toEqual([
            stack,
            expect.arrayContaining([output]),
          ]);
        }
      }
    });

    // A stack whose template is as it was is not deployed, so it would go on with the value of the old resource.
    test('no output keeps its name while the resource behind it is replaced', () => {
      for (const [name, template] of after) {
        const old = before.get(name);
        for (const [output, value] of Object.entries(template.Outputs ?? {})) {
          const id = source(value);
          const [was, is] = [old, template].map((side) => side?.Resources?.[id ?? '']);
          if (is === undefined || was === undefined || source(old?.Outputs?.[output]) === undefined) continue;
          const properties = replacing[is.Type];
          // A kind of resource that is read and not in the table above: look up what replaces it, and add it.
          if (properties === undefined && !is.Type.startsWith('AWS::IAM::')) {
            throw new Error(`what replaces ${is.Type}?`);
          }
          for (const property of properties ?? []) {
            expect([id, is.Properties?.[property]]).toEqual([id, was.Properties?.[property]]);
          }
        }
      }
    });
  });
});
