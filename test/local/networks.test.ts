import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import { Network } from '../../lib/network/network.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { lifeCycle } from './support/life-cycle.ts';

jest.setTimeout(120_000);

/** The networks that Rekey creates, deployed as their templates are. */
describe('a created network', () => {
  let directory: string;
  let cloud: LocalCloud;
  let cloudFormation: CloudFormationClient;
  let peer: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rekey-networks-'));
    cloud = await startCloud({ directory });
    cloudFormation = new CloudFormationClient(cloud.clientOptions());
    const stack = await deploy('peer', {
      Resources: { Peer: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.1.0.0/16' } } },
      Outputs: { Id: { Value: { Ref: 'Peer' } } },
    });
    peer = stack.outputs.Id ?? '';
  }, 300_000);

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  }, 30_000);

  async function deploy(StackName: string, template: object) {
    await cloudFormation.send(
      new CreateStackCommand({
        StackName,
        TemplateBody: JSON.stringify(template),
        Capabilities: ['CAPABILITY_NAMED_IAM'],
      }),
    );
    const stack = await eventually(`stack ${StackName} to settle`, async () => {
      const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
      return Stacks?.find(({ StackStatus }) => !StackStatus?.endsWith('IN_PROGRESS'));
    });
    const { StackEvents } = await cloudFormation.send(new DescribeStackEventsCommand({ StackName }));
    return {
      status: stack.StackStatus,
      reasons: (StackEvents ?? []).map(({ ResourceStatusReason }) => ResourceStatusReason ?? '').join('\n'),
      outputs: Object.fromEntries(
        (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue]),
      ),
    };
  }

  function template(create: object) {
    const { environments } = defineConfig({
      environments: { dev: { audit: { retentionDays: 1 }, networks: { own: { create } as never } } },
    });
    const network = environments.dev?.networks.own;
    if (network === undefined) throw new Error('no network');
    const app = new App({ outdir: join(directory, 'cdk.out') });
    const stack = new Stack(app, 'Stack');
    new Network(stack, 'Network', {
      name: 'rekey-dev-own',
      network,
      apis: ['rds', 'redshift', 'elasticache'],
    });
    const { Resources } = Template.fromStack(stack).toJSON() as {
      Resources: Record<string, { Type: string }>;
    };
    return { Resources };
  }

  test('is deployed with its ways to a peered VPC and a transit gateway, and all its endpoints', async () => {
    const stack = await deploy(
      'connected',
      template({
        cidr: '10.20.0.0/20',
        connect: [
          { to: '10.1.0.0/16', vpcId: peer },
          { to: '10.2.0.0/16', transitGatewayId: 'tgw-0a1b2c3d4e5f60718' },
        ],
        egress: [
          { to: '10.1.0.0/16', port: 5432 },
          { to: '10.2.0.2/32', port: 53, protocol: 'udp' },
        ],
      }),
    );
    expect(stack).toMatchObject({ status: 'CREATE_COMPLETE' });
  });

  test('loses and gets ways without a refusal, though a table takes one route to a range', async () => {
    const connected = (ranges: readonly string[]) =>
      template({
        cidr: '10.24.0.0/20',
        connect: ranges.map((to) => ({ to, transitGatewayId: 'tgw-0a1b2c3d4e5f60718' })),
        egress: ranges.map((to) => ({ to, port: 5432 })),
      });
    const stack = lifeCycle(cloud, 'ways');
    expect(await stack.create(connected(['10.4.0.0/16', '10.5.0.0/16']))).toMatchObject({
      status: 'CREATE_COMPLETE',
    });
    for (const ranges of [['10.5.0.0/16'], ['10.6.0.0/16', '10.5.0.0/16']]) {
      expect(await stack.update(connected(ranges))).toMatchObject({ status: 'UPDATE_COMPLETE' });
    }
    const twice = (Table: object) => ({
      Type: 'AWS::EC2::Route',
      Properties: {
        RouteTableId: Table,
        DestinationCidrBlock: '10.5.0.0/16',
        TransitGatewayId: 'tgw-0a1b2c3d',
      },
    });
    const { Resources } = connected(['10.6.0.0/16', '10.5.0.0/16']);
    const table = Object.entries(Resources).find(([, { Type }]) => Type === 'AWS::EC2::RouteTable')?.[0];
    const refused = await stack.update({ Resources: { ...Resources, Twice: twice({ Ref: table }) } });
    expect(refused.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(refused.reasons).toContain('The route identified by 10.5.0.0/16 already exists');
  });

  test('keeps what a function has its interfaces in, whatever its stack deletes', async () => {
    const group = (more: object = {}) => ({
      Type: 'AWS::EC2::SecurityGroup',
      Properties: { GroupDescription: 'of a test', VpcId: { Ref: 'Vpc' }, ...more },
    });
    const parts = {
      Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.30.0.0/20' } },
      Subnet: {
        Type: 'AWS::EC2::Subnet',
        Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.30.0.0/22' },
      },
      Group: group(),
    };
    const Outputs = { Subnet: { Value: { Ref: 'Subnet' } }, Group: { Value: { Ref: 'Group' } } };
    const network = lifeCycle(cloud, 'network');
    const { outputs } = await network.create({ Resources: parts, Outputs });
    const user = lifeCycle(cloud, 'user');
    const Statement = [
      { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } },
    ];
    const created = await user.create({
      Resources: {
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement } },
        },
        Function: {
          Type: 'AWS::Lambda::Function',
          Properties: {
            Code: { ZipFile: 'exports.handler = () => {}' },
            Handler: 'index.handler',
            Runtime: 'nodejs22.x',
            Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
            VpcConfig: { SubnetIds: [outputs.Subnet], SecurityGroupIds: [outputs.Group] },
          },
        },
      },
    });
    expect(created).toMatchObject({ status: 'CREATE_COMPLETE' });
    const emptied = await network.update({ Resources: { Vpc: parts.Vpc } });
    expect(emptied.status).toBe('UPDATE_COMPLETE');
    expect(emptied.events).toEqual(expect.arrayContaining(['Subnet DELETE_FAILED', 'Group DELETE_FAILED']));
    expect(emptied.reasons).toContain(
      `The subnet '${outputs.Subnet}' has dependencies and cannot be deleted`,
    );
    expect(await network.remove()).toMatchObject({ status: 'DELETE_FAILED' });
    await user.remove();
    expect(await network.remove()).toMatchObject({ status: 'DELETE_COMPLETE' });

    const named = lifeCycle(cloud, 'named');
    const { outputs: ids } = await named.create({ Resources: parts, Outputs });
    const rule = { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, SourceSecurityGroupId: ids.Group };
    const other = lifeCycle(cloud, 'other');
    await other.create({
      Resources: { Vpc: parts.Vpc, Other: group({ SecurityGroupIngress: [rule] }) },
    });
    expect((await named.update({ Resources: { Vpc: parts.Vpc } })).reasons).toContain(
      'has a dependent object',
    );
    await other.remove();
    expect(await named.remove()).toMatchObject({ status: 'DELETE_COMPLETE' });
  });

  test('is refused by a VPC whose range it overlaps with, which only AWS can know', async () => {
    const stack = await deploy(
      'overlapping',
      template({
        cidr: '10.1.16.0/20',
        connect: [{ to: '10.64.0.0/16', vpcId: peer }],
        egress: [{ to: '10.64.0.0/16', port: 5432 }],
      }),
    );
    expect(stack.status).toMatch(/ROLLBACK_COMPLETE|CREATE_FAILED/);
    expect(stack.reasons).toContain('overlapping CIDR range');
  });
});
