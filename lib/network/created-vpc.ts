import { Fn, Stack, Tags, Validations } from 'aws-cdk-lib';
import {
  CfnTransitGatewayVpcAttachment,
  CfnVPC,
  CfnVPCPeeringConnection,
  FlowLog,
  FlowLogDestination,
  FlowLogResourceType,
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  type IVpc,
  Port,
  PrivateSubnet,
  RouterType,
  SecurityGroup,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct, type IDependable } from 'constructs';
import type { AwsApi } from '../../rotators/descriptor.ts';
import { quarters } from '../config/cidr.ts';
import type { CreatedNetworkConfiguration } from '../config/schema.ts';

/** An API of AWS behind an interface endpoint, and the prefix of its actions. */
interface Endpoint {
  readonly id: string;
  readonly service: InterfaceVpcEndpointAwsService;
  readonly actions: string;
}

/** Endpoints that every function calls. CloudWatch Logs and X-Ray are reached through Lambda itself. */
const common: readonly Endpoint[] = [
  {
    id: 'SecretsManager',
    service: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    actions: 'secretsmanager:*',
  },
  { id: 'EventBridge', service: InterfaceVpcEndpointAwsService.EVENTBRIDGE, actions: 'events:*' },
  { id: 'Sqs', service: InterfaceVpcEndpointAwsService.SQS, actions: 'sqs:*' },
  { id: 'Ssm', service: InterfaceVpcEndpointAwsService.SSM, actions: 'ssm:*' },
];

const byApi: Readonly<Record<AwsApi, Endpoint>> = {
  rds: { id: 'Rds', service: InterfaceVpcEndpointAwsService.RDS, actions: 'rds:*' },
  redshift: { id: 'Redshift', service: InterfaceVpcEndpointAwsService.REDSHIFT, actions: 'redshift:*' },
  elasticache: {
    id: 'ElastiCache',
    service: InterfaceVpcEndpointAwsService.ELASTICACHE,
    actions: 'elasticache:*',
  },
};

/** Props of {@link CreatedVpc}. */
interface CreatedVpcProps {
  readonly network: CreatedNetworkConfiguration;
  readonly name: string;
}

/**
 * A VPC with isolated subnets, flow logs, and ways to the networks that it is connected with. Its zones are named or
 * chosen by CloudFormation: the CDK's own `Vpc` would ask AWS for them at synth.
 *
 * The default security group keeps its rules, since only code that runs at the deploy could remove them; nothing here
 * is in that group.
 */
export class CreatedVpc extends Construct {
  readonly vpc: IVpc;
  readonly subnets: readonly PrivateSubnet[];
  /** Resources that must be there before anything can be reached. */
  readonly ready: readonly IDependable[];

  constructor(scope: Construct, id: string, { network, name }: CreatedVpcProps) {
    super(scope, id);
    const resource = new CfnVPC(this, 'Vpc', {
      cidrBlock: network.cidr,
      // Private DNS of the endpoints needs both.
      enableDnsHostnames: true,
      enableDnsSupport: true,
    });
    Tags.of(this).add('Name', name);
    const zones =
      typeof network.availabilityZones === 'number'
        ? Array.from({ length: network.availabilityZones }, (_, index) => Fn.select(index, Fn.getAzs()))
        : network.availabilityZones;
    const ranges = quarters(network.cidr);
    this.subnets = zones.map(
      (availabilityZone, index) =>
        new PrivateSubnet(this, `Subnet${index + 1}`, {
          vpcId: resource.ref,
          availabilityZone,
          cidrBlock: ranges[index] ?? '',
          mapPublicIpOnLaunch: false,
        }),
    );
    for (const subnet of this.subnets) {
      Validations.of(subnet).acknowledge({
        id: 'CloudFormation-Validate::W3010',
        reason: 'Where zones are named, the configuration names them.',
      });
    }
    // The subnets are handed over one by one; what is imported here says only which VPC it is.
    this.vpc = Vpc.fromVpcAttributes(this, 'Imported', {
      vpcId: resource.ref,
      vpcCidrBlock: network.cidr,
      availabilityZones: [...zones],
    });
    new FlowLog(this, 'FlowLog', {
      resourceType: FlowLogResourceType.fromVpc(this.vpc),
      destination: FlowLogDestination.toCloudWatchLogs(),
    });
    this.ready = [resource, ...this.subnets, ...this.connect(resource, network.connect)];
  }

  /**
   * Opens interface endpoints, with private DNS, for functions in a security group. Their policies let through what
   * principals of this account do to resources of this account: no way to carry a value out to another account.
   * @see https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
   */
  addEndpoints(from: ISecurityGroup, apis: readonly AwsApi[]): readonly IDependable[] {
    const group = new SecurityGroup(this, 'Endpoints', {
      vpc: this.vpc,
      description: 'Endpoints: HTTPS from Rekey functions',
      allowAllOutbound: false,
    });
    group.addIngressRule(from, Port.tcp(443), 'Rekey functions');
    const { account } = Stack.of(this);
    return [...common, ...apis.map((api) => byApi[api])].map(({ id, service, actions }) => {
      const endpoint = new InterfaceVpcEndpoint(this, id, {
        vpc: this.vpc,
        service,
        subnets: { subnets: [...this.subnets] },
        securityGroups: [group],
        open: false,
      });
      endpoint.addToPolicy(
        new PolicyStatement({
          principals: [new AnyPrincipal()],
          actions: [actions],
          resources: ['*'],
          conditions: { StringEquals: { 'aws:PrincipalAccount': account, 'aws:ResourceAccount': account } },
        }),
      );
      return endpoint;
    });
  }

  private connect(vpc: CfnVPC, connections: CreatedNetworkConfiguration['connect']): IDependable[] {
    const gateways = new Map<string, { readonly routerId: string; readonly resource: IDependable }>();
    return connections.flatMap((connection) => {
      const peered = 'vpcId' in connection;
      const id = peered ? connection.vpcId : connection.transitGatewayId;
      let gateway = gateways.get(id);
      if (gateway === undefined) {
        gateway = peered ? this.peer(vpc, id) : this.attach(vpc, id);
        gateways.set(id, gateway);
      }
      for (const subnet of this.subnets) {
        const route = {
          routerId: gateway.routerId,
          routerType: peered ? RouterType.VPC_PEERING_CONNECTION : RouterType.TRANSIT_GATEWAY,
          destinationCidrBlock: connection.to,
        };
        // By the range: CloudFormation makes a route of another range before the former is gone, and EC2 takes no two of one.
        const way = `Way-${connection.to.replace('/', '-')}`;
        subnet.addRoute(way, route);
        subnet.node.findChild(way).node.addDependency(gateway.resource);
      }
      return [gateway.resource];
    });
  }

  private peer(vpc: CfnVPC, peerVpcId: string) {
    const resource = new CfnVPCPeeringConnection(this, `Peering-${peerVpcId}`, {
      vpcId: vpc.ref,
      peerVpcId,
    });
    return { routerId: resource.ref, resource };
  }

  /**
   * Attaches the VPC to a transit gateway. The resource's type takes other tags in place: a gateway has one attachment to a
   * VPC, so none can be replaced.
   */
  private attach(vpc: CfnVPC, transitGatewayId: string) {
    const resource = new CfnTransitGatewayVpcAttachment(this, `Attachment-${transitGatewayId}`, {
      vpcId: vpc.ref,
      transitGatewayId,
      subnetIds: this.subnets.map(({ subnetId }) => subnetId),
    });
    return { routerId: transitGatewayId, resource };
  }
}
