import { Duration } from 'aws-cdk-lib';
import { type IRule, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct, type IDependable } from 'constructs';
import { metrics, rotationServiceEvents, services } from '../../core/deployed/names.ts';
import { observationEnvironmentSchema } from '../../core/deployed/variables.ts';
import { grantAppend } from '../audit/grant-append.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { createDeadLetterQueue } from '../function/dead-letters.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { grantFindDefinitions } from '../secret/definition-access.ts';
import { SecretAccess, type SecretIdentity } from '../secret/secret-access.ts';
import { FunctionAlarms } from './function-alarms.ts';
import { RunbookAlarm, rekeyMetric } from './runbook-alarm.ts';

/** A secret to observe: a {@link RotatedSecret}, or what there is of it in another stack. */
export interface ObservedSecret {
  readonly identity: Pick<SecretIdentity, 'arnPattern'>;
  /** Has the first rotation wait for the observer. */
  rotateAfter?(...others: readonly IDependable[]): void;
}

/** Props of {@link RotationObserver}. */
export interface RotationObserverProps {
  /** Bus of the environment. */
  readonly bus: IRekeyBus;
  /** Queue of the audit log; records go here when the bus does not take them. */
  readonly auditQueue: IQueue;
  /** The secrets whose rotation function is not Rekey's. */
  readonly secrets: readonly ObservedSecret[];
  /** Topic that is told when a rotation fails or an event could not be taken. @default - nobody; seen in the console only */
  readonly alarmTopic?: ITopic;
}

/**
 * Records the rotations of functions that are not Rekey's. Secrets Manager tells of them through CloudTrail on the account's
 * default event bus. Events arrive only where a trail logs management events.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
 */
export class RotationObserver extends Construct {
  readonly function: StandardFunction<typeof observationEnvironmentSchema>;
  readonly rule: IRule;
  /** Events that could not be taken. */
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: RotationObserverProps) {
    super(scope, id);
    const { bus, auditQueue } = props;
    const { environment } = bus;
    this.deadLetterQueue = createDeadLetterQueue(this);
    this.function = new StandardFunction(this, 'Function', {
      entry: 'rotation-observer',
      service: services.observation,
      description: `Rekey ${environment}: records what rotation functions of others do`,
      environmentSchema: observationEnvironmentSchema,
      environment: {
        REKEY_ENVIRONMENT: environment,
        REKEY_EVENT_BUS: bus.eventBus.eventBusName,
        REKEY_AUDIT_QUEUE_URL: auditQueue.queueUrl,
      },
    });
    this.permit(props);
    this.function.configureAsyncInvoke({
      maxEventAge: Duration.hours(6),
      retryAttempts: 2,
      onFailure: new SqsDestination(this.deadLetterQueue),
    });
    // Not by ARN: a pattern holds few of them, and the place of the ARN in the event is not documented.
    this.rule = new Rule(this, 'Rotations', {
      description: `Rekey ${environment}: rotations by functions of others, to the record`,
      eventPattern: {
        source: ['aws.secretsmanager'],
        detailType: ['AWS Service Event via CloudTrail'],
        detail: {
          eventSource: ['secretsmanager.amazonaws.com'],
          eventName: [...rotationServiceEvents],
        },
      },
      targets: [new LambdaFunction(this.function, { deadLetterQueue: this.deadLetterQueue })],
    });
    this.watch(props);
    // The first rotation may start with its schedule.
    for (const secret of props.secrets) {
      secret.rotateAfter?.(this);
    }
  }

  private permit({ bus, auditQueue, secrets }: RotationObserverProps): void {
    const { environment } = bus;
    const { role } = this.function;
    const describe = new SecretAccess(role, {
      sid: 'Describe',
      actions: ['secretsmanager:DescribeSecret'],
      keyActions: [],
    });
    for (const { identity } of secrets) {
      // It reads no value, so it does not need the secret's key.
      describe.add({ arnPattern: identity.arnPattern });
    }
    // All of them: what is told of any secret must be looked up before it can be left aside.
    grantFindDefinitions(role, environment);
    bus.grantPublish(role, 'rekey.observation', [
      'Secret Rotation Started',
      'Secret Rotation Succeeded',
      'Secret Rotation Failed',
    ]);
    grantAppend(role, auditQueue);
  }

  private watch({ bus: { environment }, alarmTopic }: RotationObserverProps): void {
    const topic = alarmTopic === undefined ? {} : { topic: alarmTopic };
    const instance = services.observation;
    new RunbookAlarm(this, 'FailedAlarm', {
      environment,
      instance,
      ...topic,
      runbook: 'rotation-failed',
      metric: rekeyMetric(environment, services.observation, metrics.rotationFailed),
    });
    new RunbookAlarm(this, 'UnrecordedAlarm', {
      environment,
      instance,
      ...topic,
      runbook: 'audit-publish-failed',
      metric: rekeyMetric(environment, services.observation, metrics.auditPublishFailed),
    });
    new FunctionAlarms(this, 'FunctionAlarms', {
      environment,
      ...topic,
      function: this.function,
      service: services.observation,
      runbook: 'observation-function-errors',
    });
    new RunbookAlarm(this, 'DeadLetterAlarm', {
      environment,
      ...topic,
      runbook: 'observation-dead-letters',
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible(),
    });
  }
}
