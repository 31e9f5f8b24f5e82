import { Duration, Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { definitionsPath, manualSecretsPath, metrics, services } from '../../core/deployed/names.ts';
import { lifecycleEnvironmentSchema } from '../../core/deployed/variables.ts';
import { lifecycleTags } from '../../core/lifecycle/marks.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import { type PagedStatement, PolicyPages, sizedArn } from '../access/policy-pages.ts';
import { grantAppend } from '../audit/grant-append.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { grantOnFunctions } from '../function/grant-by-tag.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { RunbookAlarm, rekeyMetric } from '../observation/runbook-alarm.ts';
import { grantInvokeRotation } from '../rotation/grant-invoke.ts';
import { startRotation } from '../rotation/rotation-start.ts';
import { grantOnSecrets } from '../secret/grant-on-secrets.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { adoptedArnPattern } from '../secret/secret-entry.ts';
import { type ManualSecretProps, writeManualSecret } from './manual-secrets.ts';

/** Props of {@link SecretLifecycle}. */
export interface SecretLifecycleProps {
  /** Bus of the environment. */
  readonly bus: IRekeyBus;
  /** Queue of the audit log; records go here when the bus does not take them. */
  readonly auditQueue: IQueue;
  /** Secrets that rotate. Those that Rekey created in this environment are found without being listed. @default - none */
  readonly secrets?: readonly RotatedSecret[];
  /** Secrets that nothing rotates, by a name of your own. Their owners are reminded to replace them. @default - none */
  readonly manualSecrets?: Readonly<Record<string, ManualSecretProps>>;
  /** Numbers of days before a date at which the owner is reminded. @default [30, 7, 1] */
  readonly remindDaysBefore?: readonly number[];
  /** Topic that is told when secrets could not be looked after. @default - nobody; seen in the console only */
  readonly alarmTopic?: ITopic;
}

/** Actions on the secrets, without reading a value. Tags may decide about permissions, so it sets its own and no others. */
const lookAfter = {
  sid: 'LookAfter',
  actions: [
    'secretsmanager:DescribeSecret',
    'secretsmanager:ListSecretVersionIds',
    'secretsmanager:CancelRotateSecret',
    'secretsmanager:TagResource',
    'secretsmanager:UntagResource',
  ],
  conditions: { 'ForAllValues:StringEquals': { 'aws:TagKeys': Object.values(lifecycleTags) } },
} as const satisfies PagedStatement;

/**
 * Looks after the life of an environment's secrets, once a day. It records new ones and new owners, reminds of what ends or is due,
 * and ends what expired, at its target.
 *
 * @example
 * new SecretLifecycle(this, 'Lifecycle', {
 *   bus, auditQueue: log.queue, secrets: [orders],
 *   manualSecrets: {
 *     licence: { secret: 'vendor/licence', owner: 'team-orders', purpose: 'opens the vendor\'s API', replaceEvery: Duration.days(365) },
 *   },
 * });
 */
export class SecretLifecycle extends Construct {
  readonly function: StandardFunction<typeof lifecycleEnvironmentSchema>;

  constructor(scope: Construct, id: string, props: SecretLifecycleProps) {
    super(scope, id);
    const { bus, auditQueue, secrets = [], manualSecrets = {} } = props;
    const { environment } = bus;
    this.function = new StandardFunction(this, 'Function', {
      entry: 'secret-lifecycle',
      service: services.lifecycle,
      description: `Rekey ${environment}: records, reminds of and ends what is due in the life of secrets`,
      environmentSchema: lifecycleEnvironmentSchema,
      environment: {
        REKEY_ENVIRONMENT: environment,
        REKEY_EVENT_BUS: bus.eventBus.eventBusName,
        REKEY_AUDIT_QUEUE_URL: auditQueue.queueUrl,
        REKEY_REMIND_DAYS_BEFORE: (props.remindDaysBefore ?? [30, 7, 1]).join(','),
      },
      // A thousand secrets at five at a time take about two minutes; one that expired takes as long as its target.
      timeout: Duration.minutes(15),
    });
    const { role } = this.function;
    const pages = new PolicyPages(role);
    grantOnSecrets(role, pages, { environment, secrets, grants: [lookAfter, startRotation] });
    // A secret whose end is put off gets a credential that works.
    grantInvokeRotation(role, pages, { environment, secrets });
    for (const [name, manual] of Object.entries(manualSecrets)) {
      writeManualSecret(this, { environment, name, manual });
      pages.add(lookAfter, sizedArn(adoptedArnPattern(this, manual.secret)));
    }
    grantOnFunctions(role, {
      sid: 'Contain',
      actions: ['lambda:InvokeFunction'],
      environment,
      service: services.containment,
    });
    this.readDefinitions(environment);
    bus.grantPublish(role, 'rekey.lifecycle', [
      'Secret Registered',
      'Secret Ownership Transferred',
      'Secret Expiry Near',
      'Secret Replacement Due',
      'Secret Expired',
      'Secret Expiry Extended',
    ]);
    grantAppend(role, auditQueue);
    this.function.configureAsyncInvoke({ maxEventAge: Duration.hours(6), retryAttempts: 2 });
    new Rule(this, 'Daily', {
      description: `Rekey ${environment}: looks after the secrets once a day`,
      schedule: Schedule.cron({ minute: '0', hour: '5' }),
      targets: [new LambdaFunction(this.function, { retryAttempts: 3, maxEventAge: Duration.hours(6) })],
    });
    new RunbookAlarm(this, 'UnrecordedAlarm', {
      environment,
      runbook: 'audit-publish-failed',
      instance: services.lifecycle,
      metric: rekeyMetric(environment, services.lifecycle, metrics.auditPublishFailed),
      ...(props.alarmTopic !== undefined && { topic: props.alarmTopic }),
    });
    new FunctionAlarms(this, 'Alarms', {
      environment,
      ...(props.alarmTopic !== undefined && { topic: props.alarmTopic }),
      function: this.function,
      service: services.lifecycle,
      runbook: 'lifecycle-function-errors',
    });
  }

  /** Lets the function list the definitions, which hold names and settings only. Listing asks for the path itself. */
  private readDefinitions(environment: string): void {
    const paths = [definitionsPath(environment), manualSecretsPath(environment)].map((path) =>
      Stack.of(this).formatArn({ service: 'ssm', resource: 'parameter', resourceName: path.slice(1) }),
    );
    this.function.role.addToPolicy(
      new PolicyStatement({
        sid: 'Definitions',
        actions: ['ssm:GetParametersByPath'],
        resources: paths.flatMap((arn) => [arn, `${arn}/*`]),
      }),
    );
    acknowledgeWildcards(
      this.function.role,
      paths.map((arn) => `${arn}/*`),
      'The definitions of the secrets, which hold names and settings only.',
    );
  }
}
