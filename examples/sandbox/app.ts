import { App, CfnOutput, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { type IVpc, Peer, Port, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine,
} from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';

/**
 * A database and a network to try Rekey with in a sandbox account; `docs/on-aws.md` leads through it. Nothing here is
 * fit for production: one NAT gateway, no deletion protection, no backups.
 *
 * The database is Aurora Serverless with the Data API, so that users can be made in it from a laptop, and RDS manages
 * its master password.
 */
export class SandboxStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const vpc = new Vpc(this, 'Vpc', { maxAzs: 2, natGateways: 1 }) as IVpc;
    const cluster = new DatabaseCluster(this, 'Database', {
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_16_4 }),
      parameters: { 'rds.force_ssl': '1' },
      credentials: Credentials.fromUsername('postgres'),
      manageMasterUserPassword: true,
      defaultDatabaseName: 'shop',
      enableDataApi: true,
      serverlessV2MinCapacity: 0.5,
      serverlessV2MaxCapacity: 1,
      writer: ClusterInstance.serverlessV2('writer'),
      storageEncrypted: true,
      removalPolicy: RemovalPolicy.DESTROY,
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
    });
    cluster.connections.allowFrom(Peer.ipv4(vpc.vpcCidrBlock), Port.tcp(5432), 'functions in the network');
    const outputs: Record<string, string> = {
      VpcId: vpc.vpcId,
      SubnetIds: vpc.privateSubnets.map(({ subnetId }) => subnetId).join(','),
      Cidr: vpc.vpcCidrBlock,
      Host: cluster.clusterEndpoint.hostname,
      ClusterArn: cluster.clusterArn,
      AdminSecretArn: cluster.secret?.secretArn ?? '',
    };
    for (const [name, value] of Object.entries(outputs)) {
      new CfnOutput(this, name, { value });
    }
  }
}

if (import.meta.main) {
  const app = new App();
  Tags.of(new SandboxStack(app, 'rekey-sandbox')).add('purpose', 'rekey-sandbox');
  app.synth();
}
