import { Duration, Fn, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { type IMetric, MathExpression, type Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  ObjectLockRetention,
} from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import {
  auditKeyParameter,
  deploymentParameters,
  deploymentPath,
  metrics,
  services,
} from '../../core/deployed/names.ts';
import { auditWriterEnvironmentSchema } from '../../core/deployed/variables.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import { excludeReplays } from '../events/exclude-replays.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { writeDeploymentParameters } from '../foundation/deployment-parameters.ts';
import { wholeNumber } from '../foundation/whole-number.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { RunbookAlarm, rekeyMetric } from '../observation/runbook-alarm.ts';
import type { RunbookName } from '../observation/runbooks.ts';

/** Props of {@link AuditLog}. */
export interface AuditLogProps {
  /** Bus of the environment, whose events are recorded. */
  readonly bus: IRekeyBus;
  /**
   * Time for which each record is locked, in whole days. Once a record is written, nobody can shorten it, the account's root
   * user and AWS Support included. The bucket can be removed only after the last record's lock has ended.
   */
  readonly retention: Duration;
  /** Topic that is told of records that are late or stuck. @default - nobody; the alarms are seen in the console only */
  readonly alarmTopic?: ITopic;
  /**
   * Time for which the bucket's access log is kept.
   * @default Duration.days(365)
   */
  readonly accessLogRetention?: Duration;
  /** Executions that Lambda keeps free for the writer. @default - it shares the account's unreserved concurrency */
  readonly reservedConcurrency?: number;
}

/** The message group of all records: one group keeps them in order. */
const messageGroupId = 'audit';

/** Attempts to write a record, about one a minute, before it is put aside. */
const deliveries = 60;

/**
 * The audit log of one environment. Everything on the bus goes through a first-in-first-out queue to one writer. The writer
 * puts it as hash-linked records into a bucket under Object Lock in compliance mode. See `docs/audit-log.md`.
 *
 * @example
 * const log = new AuditLog(this, 'AuditLog', { bus, retention: Duration.days(365) });
 */
export class AuditLog extends Construct {
  /**
   * Takes the queue of the audit log of an environment that another app has deployed in this account and region. CloudFormation
   * reads from the facts of that deployment where it is.
   *
   * @example
   * const auditQueue = AuditLog.queueFromEnvironment(this, 'AuditQueue', 'prod');
   */
  static queueFromEnvironment(scope: Construct, id: string, environment: string): IQueue {
    const fact = (name: string) =>
      StringParameter.valueForStringParameter(scope, `${deploymentPath(environment)}/${name}`);
    const queueUrl = fact(deploymentParameters.auditQueueUrl);
    return Queue.fromQueueAttributes(scope, id, {
      queueUrl,
      // https://sqs.<region>.amazonaws.com/<account>/<name>
      queueArn: Stack.of(scope).formatArn({
        service: 'sqs',
        resource: Fn.select(4, Fn.split('/', queueUrl)),
      }),
      keyArn: fact(auditKeyParameter),
      fifo: true,
    });
  }

  readonly bucket: Bucket;
  private readonly environment: string;
  /** Encrypts the records and the queues. */
  readonly key: Key;
  /** First-in-first-out queue of the records; functions that the bus refuses send their records here directly. */
  readonly queue: Queue;
  /** Records that the writer could not write. */
  readonly deadLetterQueue: Queue;
  /** Events that the bus could not bring into {@link queue}. */
  readonly undeliveredQueue: Queue;
  readonly writer: StandardFunction<typeof auditWriterEnvironmentSchema>;

  constructor(scope: Construct, id: string, props: AuditLogProps) {
    super(scope, id);
    const { environment } = props.bus;
    this.environment = environment;
    const { retention, accessLogRetention } = props;
    // Object Lock takes no more: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DefaultRetention.html
    wholeNumber('days', retention, { id, prop: 'retention', atLeast: 1, atMost: 36_500 });
    if (accessLogRetention !== undefined) {
      wholeNumber('days', accessLogRetention, { id, prop: 'accessLogRetention', atLeast: 1 });
    }
    this.key = new Key(this, 'Key', {
      description: `Rekey ${environment}: audit log`,
      enableKeyRotation: true,
      // A log whose key is gone is gone as well.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // By account, since the rule needs the queue and the queue this key: naming the rule here would close a circle. Which
    // rule may send says the queue's own policy.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-least-privilege-policy.html
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'EventsIntoTheQueue',
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    this.bucket = this.createBucket(props);

    const queue = {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: this.key,
      enforceSSL: true,
    } as const;
    const kept = { retentionPeriod: Duration.days(14) };
    this.deadLetterQueue = new Queue(this, 'DeadLetters', { ...queue, ...kept, fifo: true });
    // Not under the same key: what keeps the bus from using that one must not lose the records, too.
    this.undeliveredQueue = new Queue(this, 'Undelivered', {
      ...kept,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    Validations.of(this.undeliveredQueue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'This is the dead-letter queue of a rule, which cdk-nag does not see.',
    });
    this.queue = new Queue(this, 'Queue', {
      ...queue,
      ...kept,
      fifo: true,
      contentBasedDeduplication: true,
      visibilityTimeout: Duration.seconds(60),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: deliveries },
    });

    this.writer = new StandardFunction(this, 'Writer', {
      entry: 'audit-writer',
      service: services.audit,
      description: `Rekey ${environment}: writes the audit log`,
      environmentSchema: auditWriterEnvironmentSchema,
      environment: { REKEY_ENVIRONMENT: environment, REKEY_AUDIT_BUCKET: this.bucket.bucketName },
      timeout: Duration.seconds(30),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrency: props.reservedConcurrency }),
    });
    this.permitWriter();
    this.protectRecords();
    this.writer.addEventSource(new SqsEventSource(this.queue, { batchSize: 10 }));

    this.recordEverything(props);

    this.watch(props);
    writeDeploymentParameters(this, environment, {
      [deploymentParameters.auditBucket]: this.bucket.bucketName,
      [deploymentParameters.auditQueueUrl]: this.queue.queueUrl,
      [auditKeyParameter]: this.key.keyArn,
      [deploymentParameters.auditDeadLetterQueueUrl]: this.deadLetterQueue.queueUrl,
    });
  }

  /** Counts the records that were written. @default - sum over five minutes */
  metricRecordsWritten(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.audit, metrics.auditRecordsWritten, options);
  }

  /** Counts the objects of the log that are not intact, as the writer passed them. @default - sum over five minutes */
  metricLogBroken(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.audit, metrics.auditLogBroken, options);
  }

  /**
   * Raises alarms when writing is slow, and when it stands still. The age of the oldest message tells of the first only: SQS
   * leaves out messages that were received three times, and a batch that fails is received each minute.
   * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
   */
  private watch(props: AuditLogProps): void {
    const { bus, alarmTopic } = props;
    const { environment } = bus;
    const minute = { period: Duration.minutes(1) };
    this.addAlarm('Delayed', 'audit-delayed', props, {
      metric: this.queue.metricApproximateAgeOfOldestMessage(minute),
      threshold: Duration.minutes(5).toSeconds(),
    });
    this.addAlarm('Stalled', 'audit-stalled', props, {
      metric: new MathExpression({
        // SQS has data of all three for each minute in which the queue is polled or holds a message.
        expression: 'IF(written < 1, waiting + inHand, 0)',
        usingMetrics: {
          written: this.queue.metricNumberOfMessagesDeleted({ ...minute, statistic: 'Sum' }),
          waiting: this.queue.metricApproximateNumberOfMessagesVisible({ ...minute, statistic: 'Maximum' }),
          inHand: this.queue.metricApproximateNumberOfMessagesNotVisible({ ...minute, statistic: 'Maximum' }),
        },
        ...minute,
      }),
      evaluation: { periods: 5, datapoints: 5 },
    });
    new FunctionAlarms(this, 'WriterAlarms', {
      environment,
      function: this.writer,
      service: services.audit,
      runbook: 'audit-writer-errors',
      // One failed batch is tried again after a minute; three are no coincidence.
      errors: { atLeast: 3, within: Duration.minutes(5) },
      ...(alarmTopic !== undefined && { topic: alarmTopic }),
    });
    this.addAlarm('Broken', 'audit-log-broken', props, {
      metric: rekeyMetric(environment, services.audit, metrics.auditLogBroken),
    });
    this.addAlarm('DeadLetter', 'audit-dead-letters', props, {
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible(),
    });
    this.addAlarm('Undeliverable', 'audit-dead-letters', props, {
      metric: this.undeliveredQueue.metricApproximateNumberOfMessagesVisible(),
      instance: 'undelivered',
    });
  }

  /**
   * Brings what is on the bus into the queue. The queues take messages of this rule alone: any other rule of the account
   * could write the whole body of a record, its source and account included.
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
   */
  private recordEverything({ bus }: AuditLogProps): void {
    const { environment } = bus;
    const rule = new Rule(this, 'Everything', {
      eventBus: bus.eventBus,
      description: `Rekey ${environment}: everything on the bus is recorded`,
      eventPattern: { source: Match.prefix('') },
      targets: [
        {
          // Not the CDK's target for queues, which admits every rule of the account to an encrypted queue.
          bind: () => ({
            arn: this.queue.queueArn,
            sqsParameters: { messageGroupId },
            deadLetterConfig: { arn: this.undeliveredQueue.queueArn },
          }),
        },
      ],
    });
    excludeReplays(rule);
    for (const queue of [this.queue, this.undeliveredQueue]) {
      queue.addToResourcePolicy(
        new PolicyStatement({
          sid: 'TheRuleOfThisLog',
          principals: [new ServicePrincipal('events.amazonaws.com')],
          actions: ['sqs:SendMessage'],
          resources: [queue.queueArn],
          conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn } },
        }),
      );
    }
  }

  private createBucket(props: AuditLogProps): Bucket {
    const accessLog = new Bucket(this, 'AccessLog', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [{ expiration: props.accessLogRetention ?? Duration.days(365) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(props.retention),
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // Written out because the CDK's own way depends on a feature flag of the app.
    (bucket.node.defaultChild as CfnBucket).loggingConfiguration = {
      destinationBucketName: accessLog.bucketName,
    };
    accessLog.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AccessLog',
        principals: [new ServicePrincipal('logging.s3.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [accessLog.arnForObjects('*')],
        conditions: {
          ArnLike: { 'aws:SourceArn': bucket.bucketArn },
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
        },
      }),
    );
    Validations.of(accessLog).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'This is the bucket that holds an access log; logging access to it would never end.',
    });
    return bucket;
  }

  /** Lets the writer add objects and read the end of the log. It can change and delete nothing. */
  private permitWriter(): void {
    const allow = (sid: string, actions: string[], resources: string[], conditions = {}) =>
      this.writer.role.addToPolicy(new PolicyStatement({ sid, actions, resources, conditions }));
    allow(
      'ReadAndAddRecords',
      ['s3:PutObject', 's3:GetObject', 's3:GetObjectVersion'],
      [this.bucket.arnForObjects('entries/*')],
    );
    allow('FindTheEnd', ['s3:ListBucket', 's3:ListBucketVersions'], [this.bucket.bucketArn]);
    allow('Encrypt', ['kms:GenerateDataKey', 'kms:Decrypt'], [this.key.keyArn], {
      StringEquals: { 'kms:ViaService': `s3.${Stack.of(this).region}.amazonaws.com` },
    });
    acknowledgeWildcards(
      this.writer.role,
      [this.bucket.arnForObjects('entries/*')],
      'The records of the log, which are named by their sequence.',
    );
  }

  /**
   * Keeps an administrator from covering, hiding or adding records. Object Lock keeps what is written. This policy refuses to
   * put something on top of it, to hide it behind a delete marker, and to add what the writer did not write. Changing the
   * policy itself stays allowed: else only the root user could ever update the stack. Verification names what got past it.
   * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
   */
  private protectRecords(): void {
    const deny = (sid: string, actions: string[], resource: string, conditions = {}) =>
      this.bucket.addToResourcePolicy(
        new PolicyStatement({
          sid,
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions,
          resources: [resource],
          conditions,
        }),
      );
    deny('OnlyTheWriterWrites', ['s3:PutObject'], this.bucket.arnForObjects('entries/*'), {
      ArnNotEquals: { 'aws:PrincipalArn': this.writer.role.roleArn },
    });
    deny('OnlyWhereNothingIs', ['s3:PutObject'], this.bucket.arnForObjects('entries/*'), {
      Null: { 's3:if-none-match': 'true' },
    });
    deny('NothingIsDeleted', ['s3:DeleteObject', 's3:DeleteObjectVersion'], this.bucket.arnForObjects('*'));
  }

  private addAlarm(
    id: string,
    runbook: RunbookName,
    { bus: { environment }, alarmTopic }: AuditLogProps,
    alarm: {
      metric: IMetric;
      threshold?: number;
      instance?: string;
      evaluation?: { periods: number; datapoints: number };
    },
  ): void {
    new RunbookAlarm(this, `${id}Alarm`, {
      environment,
      runbook,
      ...alarm,
      ...(alarmTopic !== undefined && { topic: alarmTopic }),
    });
  }
}
