import { Validations } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type ISecurityGroup,
  type ISubnet,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  Subnet,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct, type IDependable } from 'constructs';
import type { NetworkConfiguration } from '../config/schema.ts';
import type { NetworkAttachment } from './standard-function.ts';

/** Props of {@link Network}. */
export interface NetworkProps {
  /** An existing VPC by its ids, or what a new one looks like. */
  readonly network: NetworkConfiguration;
  /** Name of the network, shown in the console. */
  readonly name: string;
}

/** The AWS APIs that functions in a network call; CloudWatch Logs and X-Ray are reached through Lambda itself. */
const services = {
  SecretsManager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  EventBridge: InterfaceVpcEndpointAwsService.EVENTBRIDGE,
  Sqs: InterfaceVpcEndpointAwsService.SQS,
  Rds: InterfaceVpcEndpointAwsService.RDS,
};

/**
 * Where the functions meet their targets in private. An existing VPC is described by ids, so that synth needs no access
 * to AWS; a new one has no way to the internet, only interface endpoints for the APIs in use.
 */
export class Network extends Construct {
  readonly attachment: NetworkAttachment;
  /** What must be there before a function in the network can work. */
  readonly ready: readonly IDependable[];

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    if ('existing' in props.network) {
      const { vpcId, subnetIds, securityGroupIds, egress } = props.network.existing;
      // Only the id is used: the subnets are named one by one below.
      const vpc = Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones: ['named-by-subnet'] });
      const subnets = subnetIds.map((subnetId) => this.subnet(subnetId));
      const securityGroups =
        securityGroupIds === undefined
          ? [this.securityGroup(vpc, props.name, egress)]
          : securityGroupIds.map((group) =>
              SecurityGroup.fromSecurityGroupId(this, group, group, { mutable: false }),
            );
      this.attachment = { vpc, vpcSubnets: { subnets }, securityGroups };
      this.ready = [];
    } else {
      const { cidr, availabilityZones, ports } = props.network.create;
      // The cast is for exactOptionalPropertyTypes, which the CDK's own declarations do not keep to.
      const vpc: IVpc = new Vpc(this, 'Vpc', {
        vpcName: props.name,
        ipAddresses: IpAddresses.cidr(cidr),
        maxAzs: availabilityZones,
        natGateways: 0,
        subnetConfiguration: [{ name: 'targets', subnetType: SubnetType.PRIVATE_ISOLATED }],
        restrictDefaultSecurityGroup: false,
        flowLogs: { All: { destination: FlowLogDestination.toCloudWatchLogs() } },
      }) as IVpc;
      const group = this.securityGroup(
        vpc,
        props.name,
        ports.map((port) => ({ to: cidr, port })),
      );
      const endpoints = Object.entries(services).map(([name, service]) =>
        vpc.addInterfaceEndpoint(name, {
          service,
          subnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
          securityGroups: [this.endpointGroup(vpc, name, group)],
          open: false,
        }),
      );
      this.attachment = {
        vpc,
        vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
        securityGroups: [group],
      };
      this.ready = [vpc, ...endpoints];
    }
  }

  private subnet(id: string): ISubnet {
    const subnet = Subnet.fromSubnetId(this, id, id);
    Validations.of(subnet).acknowledge({
      id: '@aws-cdk/aws-ec2:noSubnetRouteTableId',
      reason: 'Routes of an existing network are not read.',
    });
    return subnet;
  }

  /** Lets out HTTPS, for the AWS APIs, and the ways to the targets; lets in nothing. */
  private securityGroup(
    vpc: IVpc,
    name: string,
    egress: readonly { to: string; port: number }[],
  ): SecurityGroup {
    const group = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: `Rekey functions in the network ${name}`,
      allowAllOutbound: false,
    });
    group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs');
    for (const { to, port } of egress) {
      const peer = to.startsWith('sg-') ? Peer.securityGroupId(to) : Peer.ipv4(to);
      group.addEgressRule(peer, Port.tcp(port), `targets at ${to}`);
    }
    return group;
  }

  private endpointGroup(vpc: IVpc, name: string, from: ISecurityGroup): SecurityGroup {
    const group = new SecurityGroup(this, `${name}Endpoint`, {
      vpc,
      description: `Endpoint of ${name}: HTTPS from Rekey functions`,
      allowAllOutbound: false,
    });
    group.addIngressRule(from, Port.tcp(443), 'Rekey functions');
    return group;
  }
}
