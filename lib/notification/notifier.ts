import { basename, resolve } from 'node:path';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { ParameterTier, StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import type { z } from 'zod';
import { deploymentParameters, deploymentPath, metrics, services } from '../../core/deployed/names.ts';
import { notifierEnvironmentSchema } from '../../core/deployed/variables.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { type DetailType, detailTypes } from '../../core/events/catalogue.ts';
import {
  type NotifierSettings,
  type notifierSettingsSchema,
  vendorHosts,
} from '../../core/notification/settings.ts';
import { isSilent } from '../../core/notification/tellings.ts';
import { type ChannelConfiguration, notifierSchema } from '../config/notifications.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { createDeadLetterQueue } from '../function/dead-letters.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { RunbookAlarm, rekeyMetric } from '../observation/runbook-alarm.ts';
import { grantFindDefinitions } from '../secret/definition-access.ts';
import { SecretAccess } from '../secret/secret-access.ts';
import { adoptedArnPattern } from '../secret/secret-entry.ts';

/**
 * Settings of a {@link Notifier}, as `notifications` of the configuration has them.
 * @useDeclaredType
 */
export type NotifierInput = z.input<typeof notifierSchema>;

/** Props of {@link Notifier}. */
export interface NotifierProps {
  /** Bus of the environment, whose events are told. */
  readonly bus: IRekeyBus;
  /** Channels, and who is told of what, when. */
  readonly notifications: NotifierInput;
  /** Folder that names of certificate files are relative to. @default - the working directory */
  readonly directory?: string;
  /** Topic that is told when messages cannot be delivered. @default - nobody; the alarms are seen in the console only */
  readonly alarmTopic?: ITopic;
}

/** Seconds that one call may take. Requests to all channels go out at once, each with 15 s, and once more with a new key. */
const callSeconds = 45;
/** Time after which a message comes again whose call has died. */
const visibilitySeconds = 120;
/** Attempts of an event, over more than an hour, before it goes to the dead letters; see `lambdas/notification/queue.ts`. */
const attempts = 12;
/** Characters that a parameter of Systems Manager holds. */
const longestParameter = 8_192;

/**
 * Tells people of events: of emergencies at once, of warnings the owner. Routes change who is told of what.
 * See `docs/notifications.md`.
 *
 * @example
 * new Notifier(this, 'Notifier', {
 *   bus,
 *   notifications: {
 *     channels: {
 *       chat: { kind: 'slack', secret: 'notify/slack' },
 *       oncall: { kind: 'pagerduty', secret: 'notify/pagerduty' },
 *     },
 *     escalation: { steps: [{ afterMinutes: 15, to: ['oncall'] }] },
 *   },
 * });
 */
export class Notifier extends Construct {
  readonly function: StandardFunction<typeof notifierEnvironmentSchema>;
  /** Events on their way to people. */
  readonly queue: Queue;
  /** Events that could not be told. */
  readonly deadLetterQueue: Queue;
  /** Memory of what was told, what is held back, and which incidents are open. It holds names and codes only. */
  readonly table: Table;

  /**
   * Makes the notifier.
   * @throws RekeyError `ConstructInvalid` when the settings contradict each other, or name no channel
   */
  constructor(scope: Construct, id: string, props: NotifierProps) {
    super(scope, id);
    const { bus, alarmTopic } = props;
    const { environment } = bus;
    const parsed = notifierSchema.safeParse(props.notifications);
    const problem = parsed.error?.issues[0];
    if (!parsed.success || Object.keys(parsed.data.channels).length === 0) {
      const place = ['notifications', ...(problem?.path ?? ['channels'])].join('.');
      throw new RekeyError(
        'ConstructInvalid',
        `${id}: ${place}: ${problem?.message ?? 'must name at least one channel'}`,
      );
    }
    const { channels, ...rest } = parsed.data;
    this.deadLetterQueue = createDeadLetterQueue(this);
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(visibilitySeconds),
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: attempts },
    });
    this.table = this.createTable();
    const topics = Object.fromEntries(
      Object.entries(channels).flatMap(([name, channel]) =>
        channel.kind === 'sns' ? [[name, this.topicOf(name, environment, channel)]] : [],
      ),
    );
    const settings = Stack.of(this).toJsonString({
      ...rest,
      channels: Object.fromEntries(
        Object.entries(channels).map(([name, channel]) => [name, deployed(channel, topics[name]?.topicArn)]),
      ),
    } satisfies z.input<typeof notifierSettingsSchema>);
    requireRoom(id, Stack.of(this).resolve(settings));
    const parameter = new StringParameter(this, 'Settings', {
      parameterName: `${deploymentPath(environment)}/${deploymentParameters.notifications}`,
      description: `Rekey ${environment}: channels and routes of notifications`,
      stringValue: settings,
      tier: ParameterTier.INTELLIGENT_TIERING,
    });
    this.function = new StandardFunction(this, 'Function', {
      entry: 'notifier',
      service: services.notification,
      description: `Rekey ${environment}: tells people of what happens`,
      environmentSchema: notifierEnvironmentSchema,
      environment: {
        REKEY_ENVIRONMENT: environment,
        REKEY_EVENT_BUS: bus.eventBus.eventBusName,
        REKEY_NOTIFICATION_TABLE: this.table.tableName,
        REKEY_NOTIFICATION_QUEUE_URL: this.queue.queueUrl,
        REKEY_NOTIFICATION_SETTINGS: parameter.parameterName,
      },
      files: certificateFiles(id, channels, props.directory ?? process.cwd()),
      timeout: Duration.seconds(callSeconds),
    });
    this.permit(bus, channels, Object.values(topics), parameter);
    this.connect(bus, rest.routes);
    this.watch(environment, alarmTopic);
  }

  private createTable(): Table {
    const table = new Table(this, 'Memory', {
      partitionKey: { name: 'partition', type: AttributeType.STRING },
      sortKey: { name: 'sort', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expires',
      // Who has acknowledged what is told by the audit log, too; without the table people are told once more.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(table).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason: 'What it remembers is over within days, and the audit log has every event and acknowledgement.',
    });
    return table;
  }

  private topicOf(
    name: string,
    environment: string,
    channel: Extract<ChannelConfiguration, { kind: 'sns' }>,
  ): ITopic {
    if (channel.topicArn !== undefined) return Topic.fromTopicArn(this, `Topic-${name}`, channel.topicArn);
    const topic = new Topic(this, `Topic-${name}`, { displayName: `Rekey ${environment}`, enforceSSL: true });
    for (const address of channel.emails) topic.addSubscription(new EmailSubscription(address));
    return topic;
  }

  private permit(
    bus: IRekeyBus,
    channels: Readonly<Record<string, ChannelConfiguration>>,
    topics: readonly ITopic[],
    parameter: StringParameter,
  ): void {
    const { role } = this.function;
    const allow = (sid: string, actions: string[], resources: string[]) =>
      role.addToPolicy(new PolicyStatement({ sid, actions, resources }));
    allow(
      'Memory',
      [
        'dynamodb:BatchWriteItem',
        'dynamodb:DeleteItem',
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:Query',
        'dynamodb:UpdateItem',
      ],
      [this.table.tableArn],
    );
    allow('Settings', ['ssm:GetParameter'], [parameter.parameterArn]);
    if (topics.length > 0) {
      allow(
        'Topics',
        ['sns:Publish'],
        topics.map(({ topicArn }) => topicArn),
      );
    }
    const secrets = new SecretAccess(role, {
      sid: 'ChannelSecrets',
      actions: ['secretsmanager:GetSecretValue'],
      keyActions: ['kms:Decrypt'],
    });
    const keys = new Map<string, ReturnType<typeof Key.fromKeyArn>>();
    for (const channel of Object.values(channels)) {
      if (channel.kind === 'sns') continue;
      const { secret, encryptionKey: arn } = channel;
      const encryptionKey =
        arn === undefined ? undefined : (keys.get(arn) ?? Key.fromKeyArn(this, `Key-${keys.size}`, arn));
      if (arn !== undefined && encryptionKey !== undefined) keys.set(arn, encryptionKey);
      secrets.add({
        arnPattern: adoptedArnPattern(this, secret),
        ...(encryptionKey !== undefined && { encryptionKey }),
      });
    }
    grantFindDefinitions(role, bus.environment);
    bus.grantPublish(role, 'rekey.notification', ['Incident Escalated']);
  }

  /** Connects the queue, which keeps events for receivers that are away, and the clock that ticks. */
  private connect(bus: IRekeyBus, routes: NotifierSettings['routes']): void {
    const { environment } = bus;
    this.function.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 10,
        reportBatchItemFailures: true,
        // Two at once are enough for people, and no receiver is overrun.
        maxConcurrency: 2,
      }),
    );
    bus.onEvent(this, 'Events', {
      description: `Rekey ${environment}: events that people may be told of, to the notifier`,
      detailTypes: toldTypes(routes),
      target: new SqsQueue(this.queue, { deadLetterQueue: this.deadLetterQueue }),
    });
    // What one minute could not do, the next one finds again.
    this.function.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    new Rule(this, 'Minute', {
      description: `Rekey ${environment}: sends digests and escalates, each minute`,
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.function, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
  }

  private watch(environment: string, alarmTopic: ITopic | undefined): void {
    const topic = alarmTopic === undefined ? {} : { topic: alarmTopic };
    new RunbookAlarm(this, 'FailedAlarm', {
      environment,
      ...topic,
      runbook: 'notification-failed',
      metric: rekeyMetric(environment, services.notification, metrics.notificationFailed),
    });
    new RunbookAlarm(this, 'DeadLetterAlarm', {
      environment,
      ...topic,
      runbook: 'notification-dead-letters',
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible(),
    });
    new FunctionAlarms(this, 'FunctionAlarms', {
      environment,
      ...topic,
      function: this.function,
      service: services.notification,
      runbook: 'notification-function-errors',
      // One minute that fails is tried again by the next.
      errors: { atLeast: 3, within: Duration.minutes(5) },
    });
  }
}

/** Lists the kinds of events that somebody may be told of, so that the queue gets no others. */
function toldTypes(routes: NotifierSettings['routes']): DetailType[] {
  const all = routes.some(({ events, to }) => events === undefined && to.length > 0);
  const routed = new Set<string>(routes.flatMap(({ events = [] }) => events));
  return detailTypes.filter((type) => all || !isSilent(type) || routed.has(type));
}

/** Writes a channel as the function reads it. */
function deployed(
  channel: ChannelConfiguration,
  topicArn: string | undefined,
): z.input<typeof notifierSettingsSchema>['channels'][string] {
  const { kind, emergencies, owners } = channel;
  if (channel.kind === 'sns')
    return { kind, emergencies, owners, ...(topicArn !== undefined && { topicArn }) };
  const { secret, hosts, certificateAuthority, allowPrivateAddresses } = channel;
  return {
    kind,
    emergencies,
    owners,
    secret,
    hosts: [...(hosts ?? vendorHosts[kind])],
    allowPrivateAddresses,
    ...(certificateAuthority !== undefined && { caFile: basename(certificateAuthority) }),
  };
}

/** Lists the certificate files of all channels. They lie beside the bundle by their names, so two may not share one. */
function certificateFiles(
  id: string,
  channels: Readonly<Record<string, ChannelConfiguration>>,
  directory: string,
): string[] {
  const files = Object.values(channels).flatMap((channel) =>
    channel.kind !== 'sns' && channel.certificateAuthority !== undefined
      ? [resolve(directory, channel.certificateAuthority)]
      : [],
  );
  const paths = [...new Set(files)];
  const names = paths.map((path) => basename(path));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new RekeyError(
      'ConstructInvalid',
      `${id}: two certificate files are called ${twice}; give one of them another name`,
    );
  }
  return paths;
}

/** Refuses what Systems Manager would refuse in the middle of a deploy. */
function requireRoom(id: string, settings: unknown): void {
  const { length } = typeof settings === 'string' ? settings : JSON.stringify(settings);
  if (length > longestParameter) {
    throw new RekeyError(
      'ConstructInvalid',
      `${id}: notifications takes ${length} characters, and a parameter of Systems Manager holds ${longestParameter}; name fewer channels, routes or owners`,
    );
  }
}
