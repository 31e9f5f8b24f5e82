import { App, Duration, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { Port, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import {
  AuditLog,
  ContainmentFunction,
  RekeyBus,
  ResponderRole,
  RevocationWorkflow,
  RotatedSecret,
  RotationFunction,
} from '../../lib/index.ts';

const environment = 'prod';

/**
 * A team's own stack that uses Rekey's constructs beside its own: a database login that rotates every week, can be
 * revoked, and that one task may read. The first rotation runs at the deploy, so the VPC, the database with its user
 * `orders`, and its admin secret are there before: put in the ids of yours. `node examples/own-cdk-app/app.ts` synthesizes it without access to AWS.
 */
export class OrdersStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    // Subnets from which NAT or interface endpoints lead to the AWS APIs; by ids, so that synth asks AWS for nothing.
    const vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: 'vpc-0a1b2c3d4e5f60718',
      availabilityZones: ['eu-central-1a', 'eu-central-1b'],
      privateSubnetIds: ['subnet-0a1b2c3d4e5f60718', 'subnet-0b1c2d3e4f5a60718'],
      privateSubnetRouteTableIds: ['rtb-0a1b2c3d4e5f60718', 'rtb-0b1c2d3e4f5a60718'],
    });
    const database = SecurityGroup.fromSecurityGroupId(this, 'Database', 'sg-0a1b2c3d4e5f60718');
    const toDatabase = new SecurityGroup(this, 'ToDatabase', { vpc });
    database.addIngressRule(toDatabase, Port.tcp(5432), 'Rekey');

    const bus = new RekeyBus(this, 'Bus', { environment });
    const auditLog = new AuditLog(this, 'AuditLog', { bus, retention: Duration.days(365) });

    const target = {
      type: 'postgresql',
      strategy: 'alternating-users',
      bus,
      auditQueue: auditLog.queue,
      network: { vpc, securityGroups: [toDatabase] },
    } as const;
    const rotation = new RotationFunction(this, 'Rotation', target);
    const containment = new ContainmentFunction(this, 'Containment', target);

    const orders = new RotatedSecret(this, 'Orders', {
      secret: {
        create: {
          name: `/${environment}/orders/db`,
          fields: { engine: 'postgres', host: 'orders.internal', dbname: 'orders', username: 'orders' },
          encryptionKey: new Key(this, 'SecretsKey', { enableKeyRotation: true }),
        },
      },
      adminSecret: { id: 'orders-database-admin' },
      rotation,
      containment,
      schedule: Schedule.rate(Duration.days(7)),
      owner: 'team-orders',
      consumers: ['orders-api'],
    });
    const task = new Role(this, 'OrdersApi', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
    orders.grantRead(task);

    const revocation = new RevocationWorkflow(this, 'Revocation', {
      bus,
      auditQueue: auditLog.queue,
      secrets: [orders],
      allowedSources: ['rekey.cli', 'orders.secret-scanner'],
    });
    new ResponderRole(this, 'Responder', {
      environment,
      principals: [this.account],
      bus,
      workflow: revocation.stateMachine,
      intakeLogs: revocation.intake.logGroup,
    });
    // The secret refuses principals that are tagged for another environment.
    Tags.of(this).add('rekey:environment', environment);
  }
}

if (import.meta.main) {
  const app = new App();
  new OrdersStack(app, 'orders', { env: { account: '111122223333', region: 'eu-central-1' } });
  app.synth();
}
