import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metrics, services } from '../../core/deployed/names.ts';
import { trailKeys } from '../../core/deployed/trail.ts';
import { attributionEnvironmentSchema } from '../../core/deployed/variables.ts';
import { attributedTypes } from '../../core/trail/claim.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import { grantAppend } from '../audit/grant-append.ts';
import { excludeReplays } from '../events/exclude-replays.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { createDeadLetterQueue } from '../function/dead-letters.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { RunbookAlarm, rekeyMetric } from '../observation/runbook-alarm.ts';
import { filesPrefixOf, type TrailFilesPlace } from './trail.ts';

/** Props of {@link Attribution}. */
export interface AttributionProps {
  readonly bus: IRekeyBus;
  /** Queue of the audit log; records go here when the bus does not take them. */
  readonly auditQueue: IQueue;
  /** Files of the trail. Their bucket sends its events to EventBridge. */
  readonly files: TrailFilesPlace;
  /** Topic that is told of a request that somebody else made than it says. @default - nobody; seen in the console only */
  readonly alarmTopic?: ITopic;
}

/** Seconds that one call may take: a large file of a trail takes about a minute. */
const callSeconds = 300;
/** Attempts at a file before it goes to the dead letters. */
const attempts = 5;

/**
 * Says who really asked. A request names an actor in its sender's own words, and CloudTrail tells minutes later who made the call.
 * It joins both, and publishes `Request Attributed`. It also keeps who read which secret, and when last. See `docs/attribution.md`.
 */
export class Attribution extends Construct {
  readonly function: StandardFunction<typeof attributionEnvironmentSchema>;
  /** Files of the trail and words of senders, on their way to the function. */
  readonly queue: Queue;
  /** Files that could not be read. */
  readonly deadLetterQueue: Queue;
  /** Halves of pairs for a month, and who read what for 90 days. */
  readonly table: Table;
  private readonly environment: string;

  constructor(scope: Construct, id: string, props: AttributionProps) {
    super(scope, id);
    const { bus, files } = props;
    const { environment } = bus;
    this.environment = environment;
    this.deadLetterQueue = createDeadLetterQueue(this);
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // Lambda asks for six times the limit of a call.
      visibilityTimeout: Duration.seconds(6 * callSeconds),
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: attempts },
    });
    this.table = this.createTable();
    this.function = new StandardFunction(this, 'Function', {
      entry: 'attribution',
      service: services.attribution,
      description: `Rekey ${environment}: tells by CloudTrail who really asked`,
      environmentSchema: attributionEnvironmentSchema,
      environment: {
        REKEY_ENVIRONMENT: environment,
        REKEY_EVENT_BUS: bus.eventBus.eventBusName,
        REKEY_EVENT_BUS_ARN: bus.eventBus.eventBusArn,
        REKEY_AUDIT_QUEUE_URL: props.auditQueue.queueUrl,
        REKEY_TRAIL_BUCKET: files.bucket.bucketName,
        REKEY_TRAIL_PREFIX: filesPrefixOf(this, files),
        REKEY_TRAIL_TABLE: this.table.tableName,
      },
      timeout: Duration.seconds(callSeconds),
    });
    this.permit(props);
    this.connect(props);
    this.watch(props);
  }

  /** Counts the requests that somebody else made than they say. @default - sum over five minutes */
  metricDisputed(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.attribution, metrics.requestDisputed, options);
  }

  private createTable(): Table {
    const table = new Table(this, 'Memory', {
      partitionKey: { name: 'about', type: AttributeType.STRING },
      sortKey: { name: 'item', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'forgetAt',
      // The files of the trail and the audit log have all of it.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(table).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason: 'What it holds was taken out of the files of the trail, which are kept.',
    });
    return table;
  }

  private permit({ bus, auditQueue, files }: AttributionProps): void {
    const { role } = this.function;
    const objects = files.bucket.arnForObjects(`${filesPrefixOf(this, files)}*`);
    role.addToPolicy(allow('ReadTrail', ['s3:GetObject', 's3:GetObjectVersion'], [objects]));
    role.addToPolicy(
      allow('Memory', ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'], [this.table.tableArn]),
    );
    if (files.encryptionKey !== undefined) {
      role.addToPolicy(
        allow('DecryptTrail', ['kms:Decrypt'], [files.encryptionKey.keyArn], {
          StringEquals: { 'kms:ViaService': `s3.${Stack.of(this).region}.amazonaws.com` },
        }),
      );
    }
    acknowledgeWildcards(role, [objects], 'The files of the trail that are about this account and region.');
    bus.grantPublish(role, 'rekey.trail', ['Request Attributed']);
    grantAppend(role, auditQueue);
  }

  /** Connects the queue, which takes files and words in any order. */
  private connect({ bus, files }: AttributionProps): void {
    const { environment } = bus;
    this.function.addEventSource(
      // One file at a time, two at once: the trail of a busy account is hours behind at worst, and takes no place from emergencies.
      new SqsEventSource(this.queue, { batchSize: 5, reportBatchItemFailures: true, maxConcurrency: 2 }),
    );
    const target = () => new SqsQueue(this.queue, { deadLetterQueue: this.deadLetterQueue });
    bus.onEvent(this, 'Claims', {
      description: `Rekey ${environment}: who is said to have asked, to be held beside CloudTrail`,
      detailTypes: attributedTypes,
      target: target(),
    });
    const rule = new Rule(this, 'Files', {
      description: `Rekey ${environment}: files of the trail`,
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [files.bucket.bucketName] },
          object: { key: Match.prefix(filesPrefixOf(this, files)) },
        },
      },
      targets: [target()],
    });
    excludeReplays(rule);
  }

  private watch({ bus: { environment }, alarmTopic }: AttributionProps): void {
    const topic = alarmTopic === undefined ? {} : { topic: alarmTopic };
    // Told by the notifier as well, where there is one.
    new RunbookAlarm(this, 'DisputedAlarm', {
      environment,
      ...topic,
      runbook: 'request-disputed',
      metric: this.metricDisputed(),
    });
    new RunbookAlarm(this, 'DeadLetterAlarm', {
      environment,
      ...topic,
      runbook: 'attribution-dead-letters',
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible(),
    });
    new RunbookAlarm(this, 'UnrecordedAlarm', {
      environment,
      ...topic,
      instance: services.attribution,
      runbook: 'audit-publish-failed',
      metric: rekeyMetric(environment, services.attribution, metrics.auditPublishFailed),
    });
    new FunctionAlarms(this, 'FunctionAlarms', {
      environment,
      ...topic,
      function: this.function,
      service: services.attribution,
      runbook: 'attribution-function-errors',
    });
  }
}

/**
 * Lets a function ask who read what, and nothing else of the table.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export function grantReads(role: Role, { table }: Attribution): void {
  role.addToPolicy(
    allow('WhoRead', ['dynamodb:Query'], [table.tableArn], {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [trailKeys.progress, `${trailKeys.reads}*`] },
    }),
  );
}

const allow = (sid: string, actions: string[], resources: string[], conditions = {}): PolicyStatement =>
  new PolicyStatement({ sid, actions, resources, conditions });
