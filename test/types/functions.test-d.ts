import { Duration } from 'aws-cdk-lib';
import type { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { type Connections, type ISecurityGroup, type IVpc, SubnetType, type Vpc } from 'aws-cdk-lib/aws-ec2';
import type { IEventBus, IRule, Rule } from 'aws-cdk-lib/aws-events';
import type { Grant, Role } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { IDependable } from 'constructs';
import * as z from 'zod';
import {
  AuditLog,
  type AuditLogProps,
  type AwsApi,
  ContainmentFunction,
  Fingerprints,
  type FingerprintsProps,
  type FunctionEnvironment,
  type IRekeyBus,
  type ManualSecretProps,
  Network,
  type NetworkAttachment,
  type NetworkProps,
  Notifier,
  type NotifierInput,
  type NotifierProps,
  type ObservedSecret,
  RekeyBus,
  type RekeyBusProps,
  type RekeyEventOptions,
  RevocationWorkflow,
  type RevocationWorkflowProps,
  type RotatedType,
  RotationFunction,
  type RotationFunctionProps,
  RotationObserver,
  type RotationObserverProps,
  type Runbook,
  RunbookAlarm,
  type RunbookAlarmProps,
  type RunbookName,
  runbooks,
  SecretLifecycle,
  type SecretLifecycleProps,
  type SecretType,
  StandardFunction,
  type StandardFunctionProps,
  type TargetFunctionProps,
} from '../../lib/index.ts';
import { same } from './same.ts';
import {
  bus,
  containment,
  group,
  key,
  madeVpc,
  metric,
  orders,
  queue,
  role,
  rotation,
  stack,
  target,
  topic,
  vpc,
} from './surroundings.ts';

// The bus.
const busProps: RekeyBusProps = { environment: 'prod', archiveRetention: Duration.days(30) };
const made = new RekeyBus(stack, 'Bus', busProps);
same<IEventBus>()(made.eventBus);
same<IRekeyBus>()(RekeyBus.fromEnvironment(stack, 'Joined', 'prod'));
same<Metric>()(made.metricRotationFailed({ period: Duration.hours(1) }));
same<Grant>()(made.grantPublish(role, 'acme.scanner', ['Secret Revocation Requested']));
same<Rule>()(made.onEvent(stack, 'Told', { detailTypes: ['Secret Rotation Failed'], target }));
const told: RekeyEventOptions = { detailTypes: ['Secret Rotation Failed'], detail: { data: {} }, target };
made.onEvent(stack, 'ToldOfSome', told);
same<void>()(made.permitRequestsFrom('111122223333'));
// @ts-expect-error a retention is a duration, not a number of days
new RekeyBus(stack, 'Bus', { environment: 'prod', archiveRetention: 30 });
// @ts-expect-error Rekey announces no such event
made.onEvent(stack, 'Told', { detailTypes: ['Secret Rotation Forgotten'] });
// @ts-expect-error nobody can be permitted what Rekey does not announce
made.grantPublish(role, 'acme.scanner', ['Anything']);

// The audit log.
const logProps: AuditLogProps = {
  bus,
  retention: Duration.days(365),
  alarmTopic: topic,
  accessLogRetention: Duration.days(90),
  reservedConcurrency: 1,
};
const log = new AuditLog(stack, 'AuditLog', logProps);
same<Bucket>()(log.bucket);
same<Key>()(log.key);
same<IQueue>()(AuditLog.queueFromEnvironment(stack, 'AuditQueue', 'prod'));
same<Metric>()(log.metricRecordsWritten());
same<Queue>()(log.queue);
same<Queue>()(log.deadLetterQueue);
same<Queue>()(log.undeliveredQueue);
// @ts-expect-error nothing is kept for a time that nobody named
new AuditLog(stack, 'AuditLog', { bus });
// @ts-expect-error a retention is a duration, not a number of days
new AuditLog(stack, 'AuditLog', { ...logProps, retention: 365 });
// @ts-expect-error the bus is Rekey's, with its rules, not one of the CDK
new AuditLog(stack, 'AuditLog', { ...logProps, bus: made.eventBus });

// The functions that meet a target.
const attachment: NetworkAttachment = {
  vpc,
  vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
  securityGroups: [group],
};
same<IVpc | Vpc>()(attachment.vpc);
same<readonly ISecurityGroup[] | undefined>()(attachment.securityGroups);
const targetProps: TargetFunctionProps = {
  type: 'postgresql',
  strategy: 'single-user',
  bus,
  auditQueue: queue,
  network: attachment,
  allowPlaintext: false,
  logRetention: RetentionDays.ONE_MONTH,
  reservedConcurrency: 2,
};
const rotationProps: RotationFunctionProps = {
  ...targetProps,
  type: 'postgresql',
  passwordEnvironment: { PASSWORD_LENGTH: '40' },
  overlap: Duration.hours(12),
  grace: Duration.hours(1),
  brakeAfter: 0,
};
new RotationFunction(stack, 'Rotation', rotationProps);
new ContainmentFunction(stack, 'Containment', targetProps);
new ContainmentFunction(stack, 'Foreign', { ...targetProps, type: 'external' });
const standardFunctions: readonly StandardFunction[] = [rotation.function, containment.function];
rotation.function.setVariable('REKEY_BRAKE_AFTER', '3');
// @ts-expect-error a rotation function reads no such variable
rotation.function.setVariable('REKEY_BREAK_AFTER', '3');
// @ts-expect-error a containment function has no brake
containment.function.setVariable('REKEY_BRAKE_AFTER', '3');
same<SecretType>()(rotation.type);
const rotated: RotatedType = rotationProps.type;
// @ts-expect-error a function that is not Rekey's rotates such a secret
const external: RotatedType = 'external';
same<IRekeyBus>()(containment.bus);
same<Connections>()(rotation.connections);
// @ts-expect-error no function of Rekey's rotates what another function rotates
new RotationFunction(stack, 'Rotation', { ...rotationProps, type: 'external' });
// @ts-expect-error there is no such type
new RotationFunction(stack, 'Rotation', { ...rotationProps, type: 'oracle' });
// @ts-expect-error there is no such strategy
new ContainmentFunction(stack, 'Containment', { ...targetProps, strategy: 'two-users' });
// @ts-expect-error records need a queue to go to
new ContainmentFunction(stack, 'Containment', {
  type: 'mysql',
  strategy: 'single-user',
  bus,
});
// @ts-expect-error a VPC is a construct, not its id
new RotationFunction(stack, 'Rotation', { ...rotationProps, network: { ...attachment, vpc: 'vpc-1' } });
new RotationFunction(stack, 'OwnGroup', { ...rotationProps, network: { vpc } });
new RotationFunction(stack, 'MadeVpc', { ...rotationProps, network: { vpc: madeVpc } });
// @ts-expect-error a password rule is a text, as in AWS's own functions
new RotationFunction(stack, 'Rotation', { ...rotationProps, passwordEnvironment: { PASSWORD_LENGTH: 40 } });
// @ts-expect-error an overlap is a duration, not a number of hours
new RotationFunction(stack, 'Rotation', { ...rotationProps, overlap: 12 });

// A function of one's own.
const schema = z.object({ REPORTS_BUCKET: z.string(), REPORTS_DAYS: z.coerce.number() });
const standardProps: StandardFunctionProps<typeof schema> = {
  entry: '/app/reports.ts',
  service: 'reports',
  description: 'Writes reports',
  environmentSchema: schema,
  environment: { REPORTS_BUCKET: 'reports', REPORTS_DAYS: '7' },
  logEncryptionKey: key,
  timeout: Duration.minutes(1),
  network: attachment,
};
const variables: FunctionEnvironment<typeof schema> = standardProps.environment;
const reports = new StandardFunction(stack, 'Reports', standardProps);
const lambdaFunction: LambdaFunction = reports;
same<Role>()(reports.role);
// @ts-expect-error each variable of the schema is set
new StandardFunction(stack, 'Reports', { ...standardProps, environment: { REPORTS_BUCKET: 'reports' } });
const days = { REPORTS_BUCKET: 'reports', REPORTS_DAYS: 7 };
// @ts-expect-error a variable is a text
new StandardFunction(stack, 'Reports', { ...standardProps, environment: days });
// @ts-expect-error a time is a duration, not a number of seconds
new StandardFunction(stack, 'Reports', { ...standardProps, timeout: 60 });

// A network.
const networkProps: NetworkProps = {
  network: { existing: { vpcId: 'vpc-1', subnetIds: ['subnet-1'], egress: [] } },
  name: 'rekey-prod-orders',
};
const network = new Network(stack, 'Network', networkProps);
same<NetworkAttachment>()(network.attachment);
same<readonly IDependable[]>()(network.ready);
same<readonly AwsApi[] | undefined>()(networkProps.apis);
// @ts-expect-error a network exists or is created
new Network(stack, 'Network', { ...networkProps, network: { vpc } });
// @ts-expect-error there is an endpoint for APIs that Rekey knows alone
new Network(stack, 'Network', { ...networkProps, apis: ['polly'] });

// The revocation.
const workflowProps: RevocationWorkflowProps = {
  bus,
  auditQueue: queue,
  secrets: [orders],
  allowedSources: ['rekey.cli'],
  allowedAccounts: ['111122223333'],
  maximumRequestAge: Duration.hours(1),
  reservedConcurrency: { intake: 1, workflow: 2 },
  alarmTopic: topic,
};
const revocation = new RevocationWorkflow(stack, 'Revocation', workflowProps);
same<StateMachine>()(revocation.stateMachine);
same<Queue>()(revocation.deadLetterQueue);
// @ts-expect-error what is revoked is a secret of Rekey's
new RevocationWorkflow(stack, 'Revocation', { ...workflowProps, secrets: [orders.secret] });
// @ts-expect-error an age is a duration, not a number of hours
new RevocationWorkflow(stack, 'Revocation', { ...workflowProps, maximumRequestAge: 24 });
// @ts-expect-error the workflow has no such part
new RevocationWorkflow(stack, 'Revocation', { ...workflowProps, reservedConcurrency: { report: 1 } });

// What watches.
const manual: ManualSecretProps = {
  secret: 'vendor/licence',
  owner: 'team-orders',
  purpose: 'opens the API of a vendor',
  replaceEvery: Duration.days(180),
};
const lifecycleProps: SecretLifecycleProps = {
  bus,
  auditQueue: queue,
  secrets: [orders],
  manualSecrets: { licence: manual },
};
new SecretLifecycle(stack, 'Lifecycle', lifecycleProps);
new SecretLifecycle(stack, 'Days', {
  ...lifecycleProps,
  // @ts-expect-error a time is a Duration
  manualSecrets: { licence: { ...manual, replaceEvery: 180 } },
});
new SecretLifecycle(stack, 'Nobody', {
  ...lifecycleProps,
  // @ts-expect-error somebody must be reminded
  manualSecrets: { licence: { ...manual, owner: undefined } },
});

const fingerprintsProps: FingerprintsProps = { bus, auditQueue: queue, secrets: [orders] };
const fingerprints = new Fingerprints(stack, 'Fingerprints', fingerprintsProps);
fingerprints.lookup.grantInvoke(role);
// @ts-expect-error a time is a duration, not a number of hours
new Fingerprints(stack, 'Fingerprints', { ...fingerprintsProps, sweepEvery: 6 });

const observerProps: RotationObserverProps = {
  bus,
  auditQueue: queue,
  secrets: [orders],
};
const observed: ObservedSecret = orders;
const observer = new RotationObserver(stack, 'Observer', observerProps);
same<IRule>()(observer.rule);
same<Queue>()(observer.deadLetterQueue);
// @ts-expect-error a secret of the CDK has no definition that could be observed
new RotationObserver(stack, 'Observer', { ...observerProps, secrets: [orders.secret] });

const notifierProps: NotifierProps = {
  bus,
  notifications: { channels: { chat: { kind: 'slack', secret: 'notify/chat' } } },
  alarmTopic: topic,
};
const input: NotifierInput = notifierProps.notifications;
same<Queue>()(new Notifier(stack, 'Notifier', { ...notifierProps, notifications: input }).deadLetterQueue);
const noHosts = { kind: 'webhook', secret: 'a' } as const;
// @ts-expect-error a webhook of one's own names the hosts that it may lead to
const hook: NotifierInput = { channels: { noHosts } };
new Notifier(stack, 'Notifier', { bus, notifications: hook });

const alarmProps: RunbookAlarmProps = {
  environment: 'prod',
  runbook: 'rotation-failed',
  metric,
  topic,
  threshold: 2,
  evaluation: { periods: 3, datapoints: 2 },
};
same<Alarm>()(new RunbookAlarm(stack, 'Alarm', alarmProps).alarm);
const runbook: Runbook = runbooks['rotation-failed'];
const name: RunbookName = 'audit-delayed';
// @ts-expect-error an alarm points to a runbook that there is
new RunbookAlarm(stack, 'Alarm', { ...alarmProps, runbook: 'nothing-to-do' });
// @ts-expect-error a topic is a construct, not its ARN
new RunbookAlarm(stack, 'Alarm', { ...alarmProps, topic: 'arn:aws:sns:eu-central-1:111122223333:alarms' });

export const compiled = [
  rotated,
  external,
  variables,
  observed,
  lambdaFunction,
  standardFunctions,
  runbook,
  name,
];
