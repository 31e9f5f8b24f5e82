import { Stack, Token, Validations } from 'aws-cdk-lib';
import { type ISubnet, type IVpc, Peer, Port, SecurityGroup, Subnet, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Construct, type IDependable } from 'constructs';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { AwsApi } from '../../rotators/descriptor.ts';
import { checkNetwork } from '../config/networks.ts';
import { flatten } from '../config/problem.ts';
import { type NetworkConfiguration, type NetworkInput, networkSchema } from '../config/schema.ts';
import type { NetworkAttachment } from '../function/standard-function.ts';
import { CreatedVpc } from './created-vpc.ts';

/** Props of {@link Network}. */
export interface NetworkProps {
  /** An existing VPC by its ids, or what a new one looks like, as in a configuration. */
  readonly network: NetworkInput;
  /** Name of the network, shown in the console. */
  readonly name: string;
  /**
   * APIs that its functions call beyond those that every function calls. A new VPC gets an endpoint for each.
   * @default - none
   */
  readonly apis?: readonly AwsApi[];
}

type Egress = Extract<NetworkConfiguration, { existing: object }>['existing']['egress'];

/**
 * The network in which the functions meet their targets in private. An existing VPC is described by ids, so that synth needs no
 * access to AWS. A new one has no way to the internet, only interface endpoints for the APIs in use.
 */
export class Network extends Construct {
  readonly attachment: NetworkAttachment;
  /** Resources that must be there before a function in the network can work. */
  readonly ready: readonly IDependable[];

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const network = this.checked(props.network);
    if ('existing' in network) {
      const { vpcId, subnetIds, securityGroupIds, egress } = network.existing;
      // Only the id is used: the subnets are named one by one below.
      const vpc = Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones: ['named-by-subnet'] });
      const subnets = subnetIds.map((subnetId) => this.subnet(subnetId));
      const securityGroups =
        securityGroupIds === undefined
          ? [this.securityGroup(vpc, props.name, '0.0.0.0/0', egress)]
          : securityGroupIds.map((group) =>
              SecurityGroup.fromSecurityGroupId(this, group, group, { mutable: false }),
            );
      this.attachment = { vpc, vpcSubnets: { subnets }, securityGroups };
      this.ready = [];
    } else {
      const { cidr, ports, egress } = network.create;
      const created = new CreatedVpc(this, 'Created', { name: props.name, network: network.create });
      const inside = ports.map((port) => ({ to: cidr, port, protocol: 'tcp' as const }));
      const group = this.securityGroup(created.vpc, props.name, cidr, [...inside, ...egress]);
      this.attachment = {
        vpc: created.vpc,
        vpcSubnets: { subnets: [...created.subnets] },
        securityGroups: [group],
      };
      this.ready = [...created.ready, ...created.addEndpoints(group, props.apis ?? [])];
    }
  }

  /** Fills in what may be left out, and refuses what a configuration may not say either. */
  private checked(input: NetworkInput): NetworkConfiguration {
    const { region } = Stack.of(this);
    const { data, error } = networkSchema.safeParse(input);
    const problems =
      data === undefined
        ? flatten(error.issues)
        : checkNetwork(data, Token.isUnresolved(region) ? undefined : region);
    if (data === undefined || problems.length > 0) {
      const sentences = problems.map(({ path, message }) =>
        [['network', ...path].join('.'), message].join(': '),
      );
      throw new RekeyError('ConstructInvalid', `${this.node.id}: ${sentences.join('; ')}`);
    }
    return data;
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
  private securityGroup(vpc: IVpc, name: string, apis: string, egress: Egress): SecurityGroup {
    const group = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: `Rekey functions in the network ${name}`,
      allowAllOutbound: false,
    });
    group.addEgressRule(Peer.ipv4(apis), Port.tcp(443), 'AWS APIs');
    for (const { to, port, protocol } of egress) {
      const peer = to.startsWith('sg-') ? Peer.securityGroupId(to) : Peer.ipv4(to);
      group.addEgressRule(peer, protocol === 'udp' ? Port.udp(port) : Port.tcp(port), `targets at ${to}`);
    }
    return group;
  }
}
