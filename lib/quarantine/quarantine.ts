import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { quarantineMaximumAgeMs } from '../../core/deployed/limits.ts';
import { deploymentParameters, environmentTag, metrics, services } from '../../core/deployed/names.ts';
import { quarantineEnvironmentSchema } from '../../core/deployed/variables.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { QuarantineFacts } from '../../core/quarantine/deployed.ts';
import { quarantinePatternSchema } from '../../core/quarantine/principal.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import { grantAppend } from '../audit/grant-append.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { writeDeploymentParameters } from '../foundation/deployment-parameters.ts';
import { createDeadLetterQueue } from '../function/dead-letters.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { RunbookAlarm, rekeyMetric } from '../observation/runbook-alarm.ts';
import type { RunbookName } from '../observation/runbooks.ts';

/** Props of {@link Quarantine}. */
export interface QuarantineProps {
  /** Bus of the environment. */
  readonly bus: IRekeyBus;
  /** Queue of the audit log; records go here when the bus does not take them. */
  readonly auditQueue: IQueue;
  /**
   * Patterns of the ARNs that may be quarantined, 20 at the most, such as `arn:aws:iam::111122223333:role/app-*`. Roles that
   * carry the tag `rekey:environment` never are.
   */
  readonly principals: readonly [string, ...string[]];
  /** Topic that is told when a request is refused or cannot be carried out. @default - nobody; seen in the console only */
  readonly alarmTopic?: ITopic;
}

/**
 * Cuts off IAM roles and users whose credentials were stolen, by one inline policy that denies everything. A function of its own
 * carries it out: it alone may write policies, of the principals that are named here alone. See `docs/quarantine.md`.
 *
 * @example
 * new Quarantine(this, 'Quarantine', {
 *   bus, auditQueue: log.queue, principals: ['arn:aws:iam::111122223333:role/app-*'],
 * });
 */
export class Quarantine extends Construct {
  readonly function: StandardFunction<typeof quarantineEnvironmentSchema>;
  /** The memory of quarantined principals. */
  readonly table: Table;
  /** Requests that could not be carried out. */
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: QuarantineProps) {
    super(scope, id);
    const { bus, auditQueue, principals } = props;
    const { environment } = bus;
    requirePatterns(id, principals);
    this.deadLetterQueue = createDeadLetterQueue(this);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'principal', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // The policies stay in IAM, and the audit log says which they are.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.function = new StandardFunction(this, 'Function', {
      entry: 'quarantine',
      service: services.quarantine,
      description: `Rekey ${environment}: denies everything to principals whose credentials were stolen`,
      environmentSchema: quarantineEnvironmentSchema,
      environment: {
        REKEY_ENVIRONMENT: environment,
        REKEY_EVENT_BUS: bus.eventBus.eventBusName,
        REKEY_AUDIT_QUEUE_URL: auditQueue.queueUrl,
        REKEY_QUARANTINE_TABLE: this.table.tableName,
        REKEY_QUARANTINE_PRINCIPALS: principals.join(','),
        REKEY_ACCOUNT: Stack.of(this).account,
      },
    });
    this.permit(principals);
    bus.grantPublish(this.function.role, 'rekey.quarantine', [
      'Principal Quarantined',
      'Principal Quarantine Lifted',
      'Principal Quarantine Refused',
    ]);
    grantAppend(this.function.role, auditQueue);
    this.connect(bus);
    this.watch(props);
    const facts: QuarantineFacts = {
      principals: [...principals],
      logGroup: this.function.logGroup.logGroupName,
    };
    writeDeploymentParameters(this, environment, {
      [deploymentParameters.quarantine]: Stack.of(this).toJsonString(facts),
    });
  }

  /**
   * Lets the function write and delete inline policies of what is named, and of nothing that is Rekey's. IAM knows no condition
   * for the name of an inline policy, or for what it says.
   * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
   */
  private permit(principals: readonly string[]): void {
    const { role } = this.function;
    const allow = (sid: string, actions: readonly string[], resources: readonly string[]) => {
      if (resources.length === 0) return;
      role.addToPolicy(new PolicyStatement({ sid, actions: [...actions], resources: [...resources] }));
    };
    const of = (kind: 'role' | 'user') =>
      principals.filter((arn) => arn.split(':')[5]?.startsWith(`${kind}/`));
    allow('QuarantineRoles', ['iam:GetRole', 'iam:PutRolePolicy', 'iam:DeleteRolePolicy'], of('role'));
    allow('QuarantineUsers', ['iam:GetUser', 'iam:PutUserPolicy', 'iam:DeleteUserPolicy'], of('user'));
    allow('Remember', ['dynamodb:GetItem', 'dynamodb:UpdateItem'], [this.table.tableArn]);
    role.addToPolicy(
      new PolicyStatement({
        sid: 'NeverRekey',
        effect: Effect.DENY,
        actions: ['iam:PutRolePolicy', 'iam:PutUserPolicy', 'iam:DeleteRolePolicy', 'iam:DeleteUserPolicy'],
        resources: ['*'],
        conditions: { Null: { [`aws:ResourceTag/${environmentTag}`]: 'false' } },
      }),
    );
    acknowledgeWildcards(
      role,
      principals.filter((arn) => /[*?]/.test(arn)),
      'Roles and users that the configuration names by a pattern of their names.',
    );
  }

  /** Sends requests to the function. */
  private connect(bus: IRekeyBus): void {
    const maxEventAge = Duration.millis(quarantineMaximumAgeMs);
    bus.onEvent(this, 'Requested', {
      description: `Rekey ${bus.environment}: requests for quarantines of principals`,
      detailTypes: ['Principal Quarantine Requested', 'Principal Quarantine Lift Requested'],
      target: new LambdaFunction(this.function, {
        deadLetterQueue: this.deadLetterQueue,
        maxEventAge,
        retryAttempts: 20,
      }),
    });
    this.function.configureAsyncInvoke({
      maxEventAge,
      retryAttempts: 2,
      onFailure: new SqsDestination(this.deadLetterQueue),
    });
  }

  private watch({ bus: { environment }, alarmTopic }: QuarantineProps): void {
    const told = alarmTopic === undefined ? {} : { topic: alarmTopic };
    const alarm = (id: string, runbook: RunbookName, metric: IMetric, instance?: string) =>
      new RunbookAlarm(this, `${id}Alarm`, {
        environment,
        runbook,
        metric,
        ...(instance !== undefined && { instance }),
        ...told,
      });
    const metric = (name: (typeof metrics)[keyof typeof metrics]) =>
      rekeyMetric(environment, services.quarantine, name);
    alarm('Refused', 'quarantine-refused', metric(metrics.quarantineRefused));
    alarm('Unrecorded', 'audit-publish-failed', metric(metrics.auditPublishFailed), services.quarantine);
    alarm(
      'DeadLetter',
      'quarantine-dead-letters',
      this.deadLetterQueue.metricApproximateNumberOfMessagesVisible(),
    );
    new FunctionAlarms(this, 'Alarms', {
      environment,
      function: this.function,
      service: services.quarantine,
      runbook: 'quarantine-function-errors',
      ...told,
    });
  }
}

/** Refuses patterns of another form, as the configuration does. */
function requirePatterns(id: string, principals: readonly string[]): void {
  const wrong = principals.find((pattern) => !quarantinePatternSchema.safeParse(pattern).success);
  if (wrong === undefined && principals.length <= 20) return;
  throw new RekeyError(
    'ConstructInvalid',
    wrong === undefined
      ? `${id}: principals has ${principals.length} patterns; the most is 20`
      : `${id}: principals ${JSON.stringify(wrong)} ${quarantinePatternSchema.safeParse(wrong).error?.issues[0]?.message}`,
  );
}
