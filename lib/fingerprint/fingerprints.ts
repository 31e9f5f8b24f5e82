import { createHash } from 'node:crypto';
import { CustomResource, Duration, RemovalPolicy, Token, Validations } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { type IKey, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deploymentParameters, metrics, services } from '../../core/deployed/names.ts';
import {
  fingerprintIndexEnvironmentSchema,
  fingerprintLookupEnvironmentSchema,
} from '../../core/deployed/variables.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { writeDeploymentParameters } from '../foundation/deployment-parameters.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { RunbookAlarm, rekeyMetric } from '../observation/runbook-alarm.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { keepKey, permitIndex, permitLookup } from './permissions.ts';

/** Props of {@link Fingerprints}. */
export interface FingerprintsProps {
  /** Bus of the environment, which tells of rotations and takes the records of lookups. */
  readonly bus: IRekeyBus;
  /** Queue of the audit log; records go here when the bus does not take them. */
  readonly auditQueue: IQueue;
  /** The secrets whose values can be looked up. */
  readonly secrets: readonly RotatedSecret[];
  /** Key that encrypts the tables. @default - a key that DynamoDB owns */
  readonly encryptionKey?: IKey;
  /**
   * Time between two looks at all secrets. They find what no rotation tells of: values that people put, labels that they move.
   * @default Duration.hours(6)
   */
  readonly sweepEvery?: Duration;
  /** Topic that is told when lookups are refused or a function fails. @default - nobody; seen in the console only */
  readonly alarmTopic?: ITopic;
}

/**
 * Answers which secret holds a value that was found somewhere, without the value travelling. The client sends SHA-256s to a
 * function that IAM guards, which signs them with a key that never leaves KMS and looks the signatures up. See
 * `docs/fingerprints.md`.
 *
 * @example
 * const fingerprints = new Fingerprints(this, 'Fingerprints', { bus, auditQueue: log.queue, secrets: [orders] });
 * fingerprints.lookup.grantInvoke(securityTooling);
 */
export class Fingerprints extends Construct {
  /** Key that signs hashes. Whoever has it beside the table could try guesses; KMS hands it to nobody. */
  readonly key: Key;
  /** Table of the signed hashes. */
  readonly table: Table;
  /** Table that counts lookups, so that they have a limit. */
  readonly counts: Table;
  /** Function that looks hashes up; the right to invoke it is the right to ask. */
  readonly lookup: StandardFunction<typeof fingerprintLookupEnvironmentSchema>;
  /** Function that fills the table; the one of the two that reads values. */
  readonly index: StandardFunction<typeof fingerprintIndexEnvironmentSchema>;
  private readonly environment: string;

  constructor(scope: Construct, id: string, props: FingerprintsProps) {
    super(scope, id);
    const { bus, auditQueue } = props;
    const { environment } = bus;
    this.environment = environment;
    // Without the table it signs nothing that anybody kept; while it waits for its deletion it can be had back.
    this.key = new Key(this, 'Key', {
      description: `Rekey ${environment}: signs the fingerprints of secrets`,
      keySpec: KeySpec.HMAC_256,
      keyUsage: KeyUsage.GENERATE_VERIFY_MAC,
      removalPolicy: RemovalPolicy.DESTROY,
      pendingWindow: Duration.days(30),
    });
    const encrypted =
      props.encryptionKey === undefined
        ? {}
        : { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: props.encryptionKey };
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'forget',
      // A table that is deleted with this on leaves a backup for 35 days.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.DESTROY,
      ...encrypted,
    });
    this.counts = new Table(this, 'Counts', {
      partitionKey: { name: 'hour', type: AttributeType.NUMBER },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'forget',
      removalPolicy: RemovalPolicy.DESTROY,
      ...encrypted,
    });
    Validations.of(this.counts).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason: 'It counts the lookups of this hour and the one before; there is nothing to recover.',
    });
    const common = {
      REKEY_ENVIRONMENT: environment,
      REKEY_FINGERPRINT_TABLE: this.table.tableName,
      REKEY_FINGERPRINT_KEY: this.key.keyArn,
    };
    this.index = new StandardFunction(this, 'Index', {
      entry: 'fingerprint-index',
      service: services.fingerprint,
      description: `Rekey ${environment}: keeps the fingerprints of secrets`,
      environmentSchema: fingerprintIndexEnvironmentSchema,
      environment: common,
      timeout: Duration.minutes(15),
    });
    this.lookup = new StandardFunction(this, 'Lookup', {
      entry: 'fingerprint-lookup',
      service: services.fingerprint,
      description: `Rekey ${environment}: says which secret holds a value, by its hash`,
      environmentSchema: fingerprintLookupEnvironmentSchema,
      environment: {
        ...common,
        REKEY_EVENT_BUS: bus.eventBus.eventBusName,
        REKEY_AUDIT_QUEUE_URL: auditQueue.queueUrl,
        REKEY_FINGERPRINT_COUNTS: this.counts.tableName,
      },
    });
    const { key, table, counts } = this;
    permitIndex(this.index.role, { ...props, key, table, environment });
    permitLookup(this.lookup.role, { ...props, key, table, counts });
    keepKey(key, [this.index.role, this.lookup.role]);
    this.fill(props);
    this.watch(props);
    writeDeploymentParameters(this, environment, {
      [deploymentParameters.fingerprintLookupFunction]: this.lookup.functionName,
    });
  }

  /** Counts the lookups that were answered. @default - sum over five minutes */
  metricLookups(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.fingerprint, metrics.fingerprintLookups, options);
  }

  /** Counts the lookups that were refused. @default - sum over five minutes */
  metricLookupsRefused(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.fingerprint, metrics.fingerprintLookupsRefused, options);
  }

  /** Has the table filled: after each rotation, by a sweep now and then, and at a deploy with other secrets. */
  private fill({ bus, secrets, sweepEvery }: FingerprintsProps): void {
    const { environment } = bus;
    // What is lost all the same, the next sweep finds.
    this.index.configureAsyncInvoke({ retryAttempts: 2, maxEventAge: Duration.hours(6) });
    bus.onEvent(this, 'Rotations', {
      description: `Rekey ${environment}: versions of rotations get fingerprints`,
      // A failed one may have set its pending value at the target.
      detailTypes: ['Secret Rotation Succeeded', 'Secret Rotation Failed'],
      target: new LambdaFunction(this.index, { maxEventAge: Duration.hours(6) }),
    });
    new Rule(this, 'Sweep', {
      description: `Rekey ${environment}: fingerprints of what no rotation tells of`,
      schedule: Schedule.rate(sweepEvery ?? Duration.hours(6)),
      targets: [new LambdaFunction(this.index)],
    });
    const backfill = new CustomResource(this, 'Backfill', {
      serviceToken: this.index.functionArn,
      resourceType: 'Custom::RekeyFingerprints',
      properties: { Secrets: digestOf(secrets) },
    });
    backfill.node.addDependency(this.index.role, this.table);
  }

  private watch({ bus: { environment }, alarmTopic }: FingerprintsProps): void {
    const topic = alarmTopic === undefined ? {} : { topic: alarmTopic };
    for (const [instance, watched] of Object.entries({ index: this.index, lookup: this.lookup })) {
      new FunctionAlarms(this, `Alarms-${instance}`, {
        environment,
        function: watched,
        service: services.fingerprint,
        runbook: 'fingerprint-function-errors',
        instance,
        ...topic,
      });
    }
    new RunbookAlarm(this, 'LookupsRefusedAlarm', {
      environment,
      runbook: 'fingerprint-lookups-refused',
      metric: this.metricLookupsRefused(),
      ...topic,
    });
    new RunbookAlarm(this, 'UnrecordedAlarm', {
      environment,
      runbook: 'audit-publish-failed',
      instance: services.fingerprint,
      metric: rekeyMetric(environment, services.fingerprint, metrics.auditPublishFailed),
      ...topic,
    });
  }
}

/** Tells one set of secrets from another, so that a deploy that changes it has all looked at. */
function digestOf(secrets: readonly RotatedSecret[]): string {
  const known = secrets.map(({ node, secretName }) =>
    Token.isUnresolved(secretName) ? node.path : secretName,
  );
  return createHash('sha256').update(JSON.stringify(known.toSorted())).digest('hex').slice(0, 32);
}
