import { describe, expect, test } from '@jest/globals';
import { CfnResource, Stack, type StackProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import { apisOf } from '../../lib/config/networks.ts';
import type { NetworkInput } from '../../lib/config/schema.ts';
import { Network, type NetworkProps } from '../../lib/network/network.ts';
import { testApp } from './support/app.ts';

const env = { account: '111122223333', region: 'eu-central-1' };

/** A network as the configuration gives it, its defaults filled in. */
function network(settings: object): NetworkProps['network'] {
  const { environments } = defineConfig({
    environments: {
      dev: { region: 'eu-central-1', audit: { retentionDays: 1 }, networks: { own: settings as never } },
    },
  });
  const own = environments.dev?.networks.own;
  if (own === undefined) throw new Error('no network');
  return own;
}

function synthesize(settings: object, props: Partial<NetworkProps> = {}, stackProps: StackProps = { env }) {
  const app = testApp({ rules: true });
  const stack = new Stack(app, 'test', stackProps);
  new Network(stack, 'Network', { name: 'rekey-dev-own', network: network(settings), ...props });
  const assembly = app.synth();
  return { template: Template.fromStack(stack), missing: assembly.manifest.missing ?? [] };
}

interface Resource {
  readonly Properties: Record<string, unknown>;
  readonly DependsOn?: readonly string[];
}
const all = (template: Template, type: string): Resource[] =>
  Object.values(template.findResources(type)) as Resource[];
const properties = (template: Template, type: string) => all(template, type).map((each) => each.Properties);

/** The services that a template opens endpoints for: `secretsmanager`, `events` and so on. */
const endpoints = (template: Template): string[] =>
  properties(template, 'AWS::EC2::VPCEndpoint')
    .map(({ ServiceName }) => /\.([a-z-]+)"?\]*\}?$/.exec(JSON.stringify(ServiceName))?.[1] ?? '')
    .toSorted();

const common = ['events', 'secretsmanager', 'sqs', 'ssm'];

describe('a created network', () => {
  test.each([
    ['in a named account and region', 2, { env }],
    ['with three zones', 3, { env }],
    ['without account and region', 2, {}],
  ])('%s asks AWS for nothing at synth', (_, availabilityZones, stackProps) => {
    const { template, missing } = synthesize({ create: { availabilityZones } }, {}, stackProps);
    expect(missing).toEqual([]);
    const subnets = properties(template, 'AWS::EC2::Subnet');
    expect(subnets.map(({ AvailabilityZone }) => AvailabilityZone)).toEqual(
      Array.from({ length: availabilityZones }, (_each, index) => ({
        'Fn::Select': [index, { 'Fn::GetAZs': '' }],
      })),
    );
    expect(subnets.every((subnet) => subnet.MapPublicIpOnLaunch === false)).toBe(true);
  });

  test('lies in the zones that are named, a quarter of the range for each', () => {
    const { template } = synthesize({
      create: { cidr: '10.20.0.0/20', availabilityZones: ['eu-central-1a', 'eu-central-1c'] },
    });
    expect(
      properties(template, 'AWS::EC2::Subnet').map(({ AvailabilityZone, CidrBlock }) => [
        AvailabilityZone,
        CidrBlock,
      ]),
    ).toEqual([
      ['eu-central-1a', '10.20.0.0/22'],
      ['eu-central-1c', '10.20.4.0/22'],
    ]);
  });

  test('has no way to the internet, and keeps flow logs', () => {
    const { template } = synthesize({ create: {} });
    for (const type of ['InternetGateway', 'NatGateway', 'Route', 'VPCPeeringConnection']) {
      template.resourceCountIs(`AWS::EC2::${type}`, 0);
    }
    template.resourceCountIs('AWS::EC2::FlowLog', 1);
    template.resourceCountIs('AWS::Lambda::Function', 0);
  });

  test('lets functions out to its own endpoints and to what is named, over both protocols', () => {
    const { template } = synthesize({
      create: {
        ports: [5432],
        connect: [{ to: '10.1.0.0/16', vpcId: 'vpc-0a1b2c3d' }],
        egress: [
          { to: '10.1.2.0/24', port: 3306 },
          { to: '10.1.0.2/32', port: 53, protocol: 'udp' },
        ],
      },
    });
    const rules = properties(template, 'AWS::EC2::SecurityGroup')
      .filter(({ GroupDescription }) => GroupDescription === 'Rekey functions in the network rekey-dev-own')
      .flatMap(({ SecurityGroupEgress }) => SecurityGroupEgress as Record<string, unknown>[]);
    expect(
      rules.map(({ CidrIp, IpProtocol, FromPort, ToPort }) => [CidrIp, IpProtocol, FromPort, ToPort]),
    ).toEqual([
      ['10.0.0.0/20', 'tcp', 443, 443],
      ['10.0.0.0/20', 'tcp', 5432, 5432],
      ['10.1.2.0/24', 'tcp', 3306, 3306],
      ['10.1.0.2/32', 'udp', 53, 53],
    ]);
  });

  test.each([
    [[], common],
    [['rds'], [...common, 'rds']],
    [
      ['elasticache', 'redshift'],
      [...common, 'elasticache', 'redshift'],
    ],
  ] as const)('has endpoints of what its functions call: %j', (apis, services) => {
    const { template } = synthesize({ create: {} }, { apis });
    expect(endpoints(template)).toEqual([...services].toSorted());
    for (const endpoint of properties(template, 'AWS::EC2::VPCEndpoint')) {
      expect(endpoint).toMatchObject({ PrivateDnsEnabled: true, VpcEndpointType: 'Interface' });
    }
  });

  test('has endpoints that carry nothing to other accounts', () => {
    const { template } = synthesize({ create: {} }, { apis: ['rds', 'redshift', 'elasticache'] });
    for (const { PolicyDocument, ServiceName } of properties(template, 'AWS::EC2::VPCEndpoint')) {
      const { Statement } = PolicyDocument as { Statement: Record<string, unknown>[] };
      expect(Statement).toHaveLength(1);
      expect(Statement[0]).toMatchObject({
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Condition: {
          StringEquals: { 'aws:PrincipalAccount': '111122223333', 'aws:ResourceAccount': '111122223333' },
        },
      });
      // The prefix of the actions is that of the service.
      const service = String(Statement[0]?.Action).replace(':*', '');
      expect(JSON.stringify(ServiceName)).toContain(service);
    }
  });

  test('reaches a peered VPC and a transit gateway from every subnet, one gateway for all ranges behind it', () => {
    const { template } = synthesize({
      create: {
        availabilityZones: 2,
        connect: [
          { to: '10.1.0.0/16', vpcId: 'vpc-0a1b2c3d' },
          { to: '10.2.0.0/16', transitGatewayId: 'tgw-0a1b2c3d' },
          { to: '10.3.0.0/16', transitGatewayId: 'tgw-0a1b2c3d' },
        ],
        egress: ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'].map((to) => ({ to, port: 5432 })),
      },
    });
    template.resourceCountIs('AWS::EC2::VPCPeeringConnection', 1);
    template.resourceCountIs('AWS::EC2::TransitGatewayVpcAttachment', 1);
    const routes = all(template, 'AWS::EC2::Route');
    expect(routes.map(({ Properties }) => Properties.DestinationCidrBlock).toSorted()).toEqual([
      ...['10.1.0.0/16', '10.1.0.0/16', '10.2.0.0/16', '10.2.0.0/16', '10.3.0.0/16', '10.3.0.0/16'],
    ]);
    for (const { Properties, DependsOn } of routes) {
      const peered = Properties.DestinationCidrBlock === '10.1.0.0/16';
      expect(Properties).toHaveProperty(peered ? 'VpcPeeringConnectionId' : 'TransitGatewayId');
      expect(DependsOn?.join()).toMatch(peered ? /Peering/ : /Attachment/);
    }
  });

  test('leaves a way alone when others come, go or change places: EC2 takes no second route to a range', () => {
    const ranges = ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'];
    const ways = (connected: readonly string[]) => {
      const { template } = synthesize({
        create: {
          connect: connected.map((to) => ({ to, vpcId: 'vpc-0a1b2c3d' })),
          egress: connected.map((to) => ({ to, port: 5432 })),
        },
      });
      const routes = Object.entries(template.findResources('AWS::EC2::Route'));
      return new Map(routes.map(([id, { Properties }]) => [id, Properties.DestinationCidrBlock]));
    };
    const before = ways(ranges);
    for (const connected of [ranges.slice(1), ranges.toReversed(), ['10.4.0.0/16', ...ranges]]) {
      for (const [id, range] of ways(connected)) {
        expect([id, before.get(id) ?? range]).toEqual([id, range]);
      }
    }
  });
});

describe('an existing network', () => {
  const existing = { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0a1b2c3d'] };

  test('lets functions out to name servers over UDP and TCP', () => {
    const { template } = synthesize({
      existing: {
        ...existing,
        egress: [
          { to: '10.0.0.2/32', port: 53, protocol: 'udp' },
          { to: '10.0.0.2/32', port: 53 },
        ],
      },
    });
    const [group] = properties(template, 'AWS::EC2::SecurityGroup');
    expect(group).toMatchObject({
      SecurityGroupEgress: [{ IpProtocol: 'tcp' }, { IpProtocol: 'udp' }, { IpProtocol: 'tcp' }],
    });
  });

  test('with security groups of its own, has nothing created', () => {
    const stack = new Stack(testApp({ rules: true }), 'test', { env });
    const settings = network({ existing: { ...existing, securityGroupIds: ['sg-0a1b2c3d'] } });
    new Network(stack, 'Network', { name: 'own', network: settings });
    expect(stack.node.findAll().filter((each) => CfnResource.isCfnResource(each))).toEqual([]);
  });
});

test('the APIs of a network are those that its secrets call, by the services of their resources', () => {
  const { environments } = defineConfig({
    environments: {
      dev: {
        audit: { retentionDays: 1 },
        networks: { a: { create: {} }, b: { create: {} } },
        secrets: {
          one: { type: 'postgresql', strategy: 'single-user', adopt: 'one', owner: 'o', network: 'a' },
          two: { type: 'redis', strategy: 'single-user', adopt: 'two', owner: 'o', network: 'b' },
          three: {
            type: 'rds-admin',
            strategy: 'single-user',
            adopt: 'three',
            owner: 'o',
            network: 'b',
            resources: ['arn:aws:redshift:eu-central-1:111122223333:cluster:dwh'],
          },
          elsewhere: { type: 'mysql', strategy: 'single-user', adopt: 'four', owner: 'o' },
        },
      },
    },
  });
  const secrets = environments.dev?.secrets ?? {};
  expect(apisOf('a', secrets)).toEqual(['rds']);
  expect(apisOf('b', secrets)).toEqual(['redshift']);
});

describe('a network that is made without a configuration', () => {
  const make = (settings: NetworkInput) =>
    new Network(new Stack(testApp(), 'test', { env }), 'Inner', { name: 'inner', network: settings });

  test('takes what a configuration takes, defaults left out', () => {
    const { attachment } = make({ create: {} });
    Template.fromStack(Stack.of(attachment.vpc)).hasResourceProperties('AWS::EC2::VPC', {
      CidrBlock: '10.0.0.0/20',
    });
  });

  test.each<[string, NetworkInput]>([
    ['Inner: network.create.cidr: must be from /16 to /26', { create: { cidr: '10.0.0.0/28' } }],
    [
      'Inner: network.existing.vpcId: must be',
      { existing: { vpcId: 'mine', subnetIds: ['subnet-0a1b2c3d'] } },
    ],
    [
      'Inner: network.existing.egress: is for the security group that Rekey makes',
      {
        existing: {
          vpcId: 'vpc-0a1b2c3d',
          subnetIds: ['subnet-0a1b2c3d'],
          securityGroupIds: ['sg-0a1b2c3d'],
          egress: [{ to: '10.0.0.0/8', port: 5432 }],
        },
      },
    ],
  ])('is refused as a configuration is: %s', (message, settings) => {
    expect(() => make(settings)).toThrow(message);
  });
});
