import { Duration, Stack } from 'aws-cdk-lib';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { type FunctionUrl, FunctionUrlAuthType, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deploymentParameters, metrics, services } from '../../core/deployed/names.ts';
import {
  signalEnvironmentSchema,
  signalWebhookEnvironmentSchema,
} from '../../core/deployed/signal-variables.ts';
import type { DetailType } from '../../core/events/catalogue.ts';
import { guardDutyTypes } from '../../core/signal/guardduty.ts';
import { healthCodes } from '../../core/signal/health.ts';
import type { HoneySecret as DeployedHoneySecret } from '../../core/signal/honey.ts';
import { type EventKind, eventKinds } from '../../core/signal/signal.ts';
import { grantAppend } from '../audit/grant-append.ts';
import type { SignalsConfiguration } from '../config/signals-schema.ts';
import { excludeReplays } from '../events/exclude-replays.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { writeDeploymentParameters } from '../foundation/deployment-parameters.ts';
import { createDeadLetterQueue } from '../function/dead-letters.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { RunbookAlarm, rekeyMetric } from '../observation/runbook-alarm.ts';
import { grantFindDefinitions } from '../secret/definition-access.ts';
import { SecretAccess } from '../secret/secret-access.ts';
import { adoptedArnPattern } from '../secret/secret-entry.ts';
import { HoneySecret, type HoneySecretProps } from './honey-secret.ts';
import { watchHoneySecrets } from './watch-honey-secrets.ts';

/** Props of {@link Signals}. */
export interface SignalsProps {
  readonly bus: IRekeyBus;
  /** Queue of the audit log; records go here when the bus does not take them. */
  readonly auditQueue: IQueue;
  /** Senders that are listened to, and the way to answer each. @default - none */
  readonly signals?: SignalsConfiguration;
  /** Function by which the secret of a key or of a value is found. @default - people are told of each, and find it themselves */
  readonly fingerprintLookup?: IFunction;
  /** Secrets that nobody may use, by a key of your own. @default - none */
  readonly honeySecrets?: Readonly<Record<string, HoneySecretProps>>;
  /** Topic that is told of alarms. @default - nobody; seen in the console only */
  readonly alarmTopic?: ITopic;
}

/** Events of the default bus that are signals. */
const patterns: Readonly<Record<EventKind, EventPattern>> = {
  health: { source: ['aws.health'], detail: { eventTypeCode: Object.keys(healthCodes) } },
  guardduty: {
    source: ['aws.guardduty'],
    detailType: ['GuardDuty Finding'],
    detail: { type: [...guardDutyTypes] },
  },
  securityhub: {
    source: ['aws.securityhub'],
    detailType: ['Security Hub Findings - Imported'],
    detail: {
      findings: {
        RecordState: ['ACTIVE'],
        Resources: { Type: ['AwsIamAccessKey', 'AwsSecretsManagerSecret'] },
      },
    },
  },
};

/**
 * Listens to what others say of leaked credentials: AWS, scanners, and honey secrets that somebody used. What they say becomes a
 * revocation, a question to people, or a record. See `docs/signals.md`.
 *
 * @example
 * const signals = new Signals(this, 'Signals', {
 *   bus, auditQueue: log.queue,
 *   signals: { webhook: { answer: 'act', mode: 'kill', secret: 'scanners/own' } },
 * });
 */
export class Signals extends Construct {
  /** Function that takes events of AWS. @default - nothing comes that way */
  readonly events: StandardFunction<typeof signalEnvironmentSchema> | undefined;
  /** Function that takes messages of scanners, and its address. @default - no scanner is configured */
  readonly webhooks:
    | {
        readonly function: StandardFunction<typeof signalWebhookEnvironmentSchema>;
        readonly url: FunctionUrl;
      }
    | undefined;
  /** Signals that could not be worked on. */
  readonly deadLetterQueue: Queue;
  readonly honeySecrets: Readonly<Record<string, HoneySecret>>;

  constructor(scope: Construct, id: string, props: SignalsProps) {
    super(scope, id);
    const { signals = {}, honeySecrets = {}, bus } = props;
    this.deadLetterQueue = createDeadLetterQueue(this);
    this.honeySecrets = Object.fromEntries(
      Object.entries(honeySecrets).map(([key, honey]) => [key, new HoneySecret(this, `Honey-${key}`, honey)]),
    );
    const kinds = Object.keys(signals).filter(
      (kind) => signals[kind as keyof SignalsConfiguration] !== undefined,
    );
    const isEvent = (kind: string): kind is EventKind => (eventKinds as readonly string[]).includes(kind);
    const listened = kinds.filter(isEvent);
    this.events =
      listened.length === 0 && Object.keys(honeySecrets).length === 0
        ? undefined
        : this.listenToEvents(props, listened);
    this.webhooks = kinds.every(isEvent) ? undefined : this.listenToWebhooks(props);
    new RunbookAlarm(this, 'DeadLetterAlarm', {
      environment: bus.environment,
      runbook: 'signal-dead-letters',
      metric: this.deadLetterQueue.metricApproximateNumberOfMessagesVisible(),
      ...(props.alarmTopic !== undefined && { topic: props.alarmTopic }),
    });
    // Told by the notifier as well, where there is one.
    new RunbookAlarm(this, 'ToDecideAlarm', {
      environment: bus.environment,
      runbook: 'signal-to-decide',
      metric: rekeyMetric(bus.environment, services.signal, metrics.signalToDecide),
      ...(props.alarmTopic !== undefined && { topic: props.alarmTopic }),
    });
    new RunbookAlarm(this, 'UnrecordedAlarm', {
      environment: bus.environment,
      runbook: 'audit-publish-failed',
      instance: services.signal,
      metric: rekeyMetric(bus.environment, services.signal, metrics.auditPublishFailed),
      ...(props.alarmTopic !== undefined && { topic: props.alarmTopic }),
    });
  }

  private variables({ bus, auditQueue, fingerprintLookup }: SignalsProps, policies: object) {
    return {
      REKEY_ENVIRONMENT: bus.environment,
      REKEY_EVENT_BUS: bus.eventBus.eventBusName,
      REKEY_AUDIT_QUEUE_URL: auditQueue.queueUrl,
      REKEY_SIGNALS: Stack.of(this).toJsonString(policies),
      ...(fingerprintLookup !== undefined && { REKEY_FINGERPRINT_LOOKUP: fingerprintLookup.functionName }),
    };
  }

  private listenToEvents(
    props: SignalsProps,
    kinds: readonly EventKind[],
  ): StandardFunction<typeof signalEnvironmentSchema> {
    const { bus, signals = {}, honeySecrets = {}, alarmTopic } = props;
    const { environment } = bus;
    const policies = Object.fromEntries(kinds.map((kind) => [kind, signals[kind]]));
    const known: Record<string, DeployedHoneySecret> = Object.fromEntries(
      Object.entries(this.honeySecrets).map(([key, { secret, accessKeyId }]) => [
        key,
        {
          arn: secret.secretArn,
          name: honeySecrets[key]?.name ?? '',
          owner: honeySecrets[key]?.owner ?? '',
          ...(accessKeyId !== undefined && { accessKeyId }),
        },
      ]),
    );
    const events = new StandardFunction(this, 'Events', {
      entry: 'signal',
      service: services.signal,
      description: `Rekey ${environment}: takes signals of AWS about leaked credentials`,
      environmentSchema: signalEnvironmentSchema,
      environment: {
        ...this.variables(props, policies),
        REKEY_HONEY_SECRETS: Stack.of(this).toJsonString(known),
      },
      // It waits where others have used up what is looked up in a minute.
      timeout: Duration.minutes(3),
    });
    const acts = kinds.some((kind) => signals[kind]?.answer === 'act');
    this.permit(events.role, props, acts, 'Honey Secret Used');
    events.configureAsyncInvoke({
      maxEventAge: Duration.hours(6),
      retryAttempts: 2,
      onFailure: new SqsDestination(this.deadLetterQueue),
    });
    const target = () =>
      new LambdaFunction(events, { deadLetterQueue: this.deadLetterQueue, retryAttempts: 20 });
    for (const kind of kinds) {
      const rule = new Rule(this, `Rule-${kind}`, {
        description: `Rekey ${environment}: signals of ${kind} about leaked credentials`,
        eventPattern: patterns[kind],
        targets: [target()],
      });
      excludeReplays(rule);
    }
    if (Object.keys(this.honeySecrets).length > 0) {
      watchHoneySecrets(this, { environment, honeySecrets: this.honeySecrets, known, target });
      new RunbookAlarm(this, 'HoneyAlarm', {
        environment,
        runbook: 'honey-secret-used',
        metric: rekeyMetric(environment, services.signal, metrics.honeySecretUsed),
        ...(alarmTopic !== undefined && { topic: alarmTopic }),
      });
    }
    this.watch('events', events, props);
    return events;
  }

  private listenToWebhooks(props: SignalsProps): NonNullable<Signals['webhooks']> {
    const { bus, signals = {}, alarmTopic } = props;
    const { environment } = bus;
    const { health: _h, guardduty: _g, securityhub: _s, ...hooks } = signals;
    const policies = Object.fromEntries(
      Object.entries(hooks).map(([kind, policy]) => {
        const { encryptionKey: _key, ...rest } = { encryptionKey: undefined, ...policy };
        return [kind, rest];
      }),
    );
    const served = new StandardFunction(this, 'Webhooks', {
      entry: 'signal-webhook',
      service: services.signal,
      description: `Rekey ${environment}: takes messages of scanners about leaked credentials`,
      environmentSchema: signalWebhookEnvironmentSchema,
      environment: {
        ...this.variables(props, policies),
        REKEY_SIGNAL_DEAD_LETTERS_URL: this.deadLetterQueue.queueUrl,
      },
    });
    const acts = Object.values(hooks).some((one) => one?.answer === 'act');
    this.permit(served.role, props, acts, 'Signal Rejected');
    this.permitSecrets(served.role, hooks);
    allow(served.role, 'KeepUndone', ['sqs:SendMessage'], [this.deadLetterQueue.queueArn]);
    const url = served.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    writeDeploymentParameters(this, environment, { [deploymentParameters.signalUrl]: url.url });
    new RunbookAlarm(this, 'RejectedAlarm', {
      environment,
      runbook: 'signal-rejected',
      metric: rekeyMetric(environment, services.signal, metrics.signalRejected),
      ...(alarmTopic !== undefined && { topic: alarmTopic }),
    });
    this.watch('webhooks', served, props);
    return { function: served, url };
  }

  /** Lets a function find secrets, record what it hears, and request revocations where it acts. */
  private permit(
    role: Role,
    { bus, auditQueue, fingerprintLookup }: SignalsProps,
    acts: boolean,
    own: DetailType,
  ): void {
    grantFindDefinitions(role, bus.environment);
    if (fingerprintLookup !== undefined) {
      allow(role, 'LookUp', ['lambda:InvokeFunction'], [fingerprintLookup.functionArn]);
    }
    bus.grantPublish(role, 'rekey.signal', [
      ...(['Signal Received', 'Signal Unresolved', 'Signal Ignored'] as const),
      own,
      ...(acts ? (['Secret Revocation Requested'] as const) : []),
    ]);
    grantAppend(role, auditQueue);
  }

  /** Lets the function read the shared secrets of senders, and no other secret. */
  private permitSecrets(role: Role, hooks: Readonly<Record<string, object | undefined>>): void {
    const access = new SecretAccess(role, {
      sid: 'SenderSecrets',
      actions: ['secretsmanager:GetSecretValue'],
      keyActions: ['kms:Decrypt'],
    });
    for (const [kind, policy] of Object.entries(hooks)) {
      const { secret, encryptionKey } = { secret: undefined, encryptionKey: undefined, ...policy } as {
        readonly secret?: string | undefined;
        readonly encryptionKey?: string | undefined;
      };
      if (secret === undefined) continue;
      access.add({
        arnPattern: adoptedArnPattern(this, secret),
        ...(encryptionKey !== undefined && {
          encryptionKey: Key.fromKeyArn(this, `Key-${kind}`, encryptionKey),
        }),
      });
    }
  }

  private watch(instance: string, watched: StandardFunction, { bus, alarmTopic }: SignalsProps): void {
    new FunctionAlarms(this, `Alarms-${instance}`, {
      environment: bus.environment,
      function: watched,
      service: services.signal,
      runbook: 'signal-function-errors',
      instance,
      ...(alarmTopic !== undefined && { topic: alarmTopic }),
    });
  }
}

const allow = (role: Role, sid: string, actions: readonly string[], resources: readonly string[]): void =>
  void role.addToPolicy(new PolicyStatement({ sid, actions: [...actions], resources: [...resources] }));
