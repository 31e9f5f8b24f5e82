import { ArnFormat, Aws, Duration, Stack } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { definitionsPath, services } from '../../core/deployed/names.ts';
import {
  revocationConclusionEnvironmentSchema,
  revocationPlanEnvironmentSchema,
  revocationPreviewEnvironmentSchema,
} from '../../core/deployed/variables.ts';
import { usualLanesAtOnce } from '../../core/revocation/plan.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import type { Approvals } from '../approval/approvals.ts';
import { grantAppend } from '../audit/grant-append.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { RunbookAlarm } from '../observation/runbook-alarm.ts';
import { type Attribution, grantReads } from '../trail/attribution.ts';
import { loggedWorkflow } from './logged-workflow.ts';
import { type MemberEnvironment, PlanMembers } from './plan-members.ts';
import { lanesLabel, planStates } from './plan-states.ts';
import type { PlanStorage } from './plan-storage.ts';
import type { RevocationFunctions } from './revocation-states.ts';

/** Props of {@link PlanWorkflow}. */
export interface PlanWorkflowProps {
  readonly bus: IRekeyBus;
  readonly auditQueue: IQueue;
  readonly storage: PlanStorage;
  /** Queue of what could not be announced or concluded. */
  readonly deadLetterQueue: IQueue;
  /** The functions that each secret's own revocation uses, too. */
  readonly functions: RevocationFunctions;
  /** Executions that Lambda keeps free for each function. @default - they share the account's unreserved concurrency */
  readonly reservedConcurrency?: number;
  /** The second person that some revocations need. @default - none needs one */
  readonly approvals?: Approvals;
  /** Memory of who really read. @default - IAM's policies alone say it */
  readonly attribution?: Attribution;
  /** Environments elsewhere that a request may be about, by name. @default - none */
  readonly members?: Readonly<Record<string, MemberEnvironment>>;
  /** Topic that is told when a revocation fails. @default - nobody; seen in the console only */
  readonly alarmTopic?: ITopic;
  /** Time for which logs are kept. @default RetentionDays.ONE_YEAR */
  readonly logRetention?: RetentionDays;
}

/**
 * Revokes several secrets by one plan: which, why, in which order. The plan is made first, and what runs is that plan. See
 * `docs/revocation.md`.
 */
export class PlanWorkflow extends Construct {
  readonly stateMachine: StateMachine;
  /** Makes the plan, and announces it. */
  readonly plan: StandardFunction<typeof revocationPlanEnvironmentSchema>;
  /** Shows plans to people, and changes nothing. */
  readonly preview: StandardFunction<typeof revocationPreviewEnvironmentSchema>;
  /** Counts what came of it, and says so. */
  readonly conclude: StandardFunction<typeof revocationConclusionEnvironmentSchema>;
  /** The way to environments elsewhere. Absent where there are none. */
  readonly members: PlanMembers | undefined;

  constructor(scope: Construct, id: string, props: PlanWorkflowProps) {
    super(scope, id);
    const { bus, auditQueue, storage } = props;
    const { environment } = bus;
    const { reservedConcurrency, attribution } = props;
    const reads = attribution === undefined ? {} : { REKEY_TRAIL_TABLE: attribution.table.tableName };
    const reserved = reservedConcurrency === undefined ? {} : { reservedConcurrency };
    const common = {
      REKEY_ENVIRONMENT: environment,
      REKEY_EVENT_BUS: bus.eventBus.eventBusName,
      REKEY_AUDIT_QUEUE_URL: auditQueue.queueUrl,
      REKEY_PLAN_BUCKET: storage.bucket.bucketName,
    };
    this.members =
      Object.keys(props.members ?? {}).length === 0
        ? undefined
        : new PlanMembers(this, 'Elsewhere', {
            environment,
            members: props.members ?? {},
            storage,
            reservedConcurrency,
            alarmTopic: props.alarmTopic,
          });
    const elsewhere = {
      ...(this.members !== undefined && {
        REKEY_MEMBERS: this.members.variable,
        REKEY_MEMBERS_FUNCTION: this.members.function.functionName,
      }),
    };
    this.plan = new StandardFunction(this, 'Plan', {
      entry: 'revocation-plan',
      service: services.revocation,
      description: `Rekey ${environment}: plans a revocation of several secrets`,
      environmentSchema: revocationPlanEnvironmentSchema,
      ...reserved,
      environment: { ...common, ...reads, ...elsewhere },
      timeout: Duration.minutes(4),
    });
    this.conclude = new StandardFunction(this, 'Conclude', {
      entry: 'revocation-conclusion',
      service: services.revocation,
      description: `Rekey ${environment}: concludes a revocation of several secrets`,
      environmentSchema: revocationConclusionEnvironmentSchema,
      ...reserved,
      environment: { ...common, REKEY_OUTCOME_TABLE: storage.table.tableName },
      timeout: Duration.minutes(4),
    });
    this.preview = new StandardFunction(this, 'Preview', {
      entry: 'revocation-preview',
      service: services.revocation,
      description: `Rekey ${environment}: shows what a revocation would do`,
      environmentSchema: revocationPreviewEnvironmentSchema,
      environment: { REKEY_ENVIRONMENT: environment, ...reads, ...elsewhere },
      timeout: Duration.minutes(4),
    });
    // What cannot be announced is told when the plan concludes; somebody should know that it was late.
    this.plan.configureAsyncInvoke({
      maxEventAge: Duration.hours(1),
      retryAttempts: 2,
      onFailure: new SqsDestination(props.deadLetterQueue),
    });
    this.permitSelection(this.preview.role, environment);
    this.permitPlan(props);
    if (attribution !== undefined) {
      for (const { role } of [this.plan, this.preview]) grantReads(role, attribution);
    }
    for (const { role } of [this.plan, this.preview]) this.members?.grantAsk(role);
    const { conclude } = this;
    conclude.role.addToPolicy(allow('ReadPlan', ['s3:GetObject'], [storage.bucket.arnForObjects('plans/*')]));
    conclude.role.addToPolicy(allow('FindPlan', ['s3:ListBucket'], [storage.bucket.bucketArn]));
    conclude.role.addToPolicy(allow('ReadOutcomes', ['dynamodb:Query'], [storage.table.tableArn]));
    acknowledgeWildcards(
      conclude.role,
      [storage.bucket.arnForObjects('plans/*')],
      'The plans of the one bucket.',
    );
    bus.grantPublish(this.plan.role, 'rekey.revocation', [
      'Revocation Planned',
      'Revocation Task Opened',
      'Secret Revocation Started',
    ]);
    bus.grantPublish(conclude.role, 'rekey.revocation', [
      'Revocation Planned',
      'Revocation Task Opened',
      'Secret Revocation Failed',
      ...(this.members === undefined
        ? []
        : (['Revocation Member Concluded', 'Revocation Task Done'] as const)),
      'Revocation Concluded',
      'Secret Revocation Rejected',
    ]);
    for (const { role } of [this.plan, conclude]) grantAppend(role, auditQueue);
    this.stateMachine = this.createStateMachine(props);
    new Rule(this, 'EndedEarly', {
      description: `Rekey ${environment}: revocations of several secrets that ended early are concluded`,
      eventPattern: {
        source: Match.exactString('aws.states'),
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [this.stateMachine.stateMachineArn],
          status: ['TIMED_OUT', 'ABORTED'],
        },
      },
      targets: [new LambdaFunction(conclude, { deadLetterQueue: props.deadLetterQueue })],
    });
    this.watch(props);
  }

  /** Lets a function read what selections ask for. It reads no value. */
  private permitSelection(role: IRole, environment: string): void {
    const definitions = Stack.of(this).formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: definitionsPath(environment).slice(1),
    });
    const principals = ['role', 'user'].map((resource) =>
      Stack.of(this).formatArn({ service: 'iam', region: '', resource, resourceName: '*' }),
    );
    role.addToPrincipalPolicy(
      allow('ListDefinitions', ['ssm:GetParametersByPath'], [definitions, `${definitions}/*`]),
    );
    role.addToPrincipalPolicy(allow('FindByTag', ['secretsmanager:ListSecrets'], ['*']));
    role.addToPrincipalPolicy(allow('FindByPrincipal', ['iam:SimulatePrincipalPolicy'], principals));
    acknowledgeWildcards(
      role,
      [`${definitions}/*`, '*', ...principals],
      'The definitions of the environment; listing secrets supports no resource-level permissions, and any role or user of the account may be asked about.',
    );
  }

  /** Lets the planner keep plans. */
  private permitPlan({ bus: { environment }, storage: { bucket } }: PlanWorkflowProps): void {
    const { role } = this.plan;
    this.permitSelection(role, environment);
    role.addToPolicy(allow('KeepPlans', ['s3:GetObject', 's3:PutObject'], [bucket.arnForObjects('plans/*')]));
    // Without it, S3 says of a plan that is not there yet that reading it is denied.
    role.addToPolicy(allow('FindPlan', ['s3:ListBucket'], [bucket.bucketArn]));
    acknowledgeWildcards(role, [bucket.arnForObjects('plans/*')], 'The plans of the one bucket.');
  }

  private createStateMachine(props: PlanWorkflowProps): StateMachine {
    const { environment } = props.bus;
    const { storage, functions, approvals } = props;
    const machine = loggedWorkflow(this, {
      environment,
      states: planStates(new Construct(this, 'States'), {
        functions: {
          ...functions,
          plan: this.plan,
          conclude: this.conclude,
          ...(this.members !== undefined && { members: this.members.function }),
        },
        bucket: storage.bucket,
        table: storage.table,
        maxConcurrency: usualLanesAtOnce,
        approvals,
      }),
      does: 'revokes several secrets by a plan, and proves it',
      log: 'revocation-plan',
      timeout: Duration.days(7).plus(Duration.minutes(approvals?.minutes ?? 0)),
      logRetention: props.logRetention,
      approvals,
    });
    const { rotate, report } = functions;
    acknowledgeWildcards(
      machine,
      [
        '*',
        ...[this.plan, this.conclude, rotate, report, this.members?.function].flatMap((each) =>
          each === undefined ? [] : `${each.functionArn}:*`,
        ),
        `arn:${Aws.PARTITION}:s3:::${storage.bucket.bucketName}/*`,
        ...[':*', `/${lanesLabel}:*`].map((executions) => executionsOf(machine, executions)),
      ],
      'Versions of the own functions, the plans and the own executions; and the actions for traces and for the delivery of logs, which do not support resource-level permissions.',
    );
    return machine;
  }

  private watch({ bus: { environment }, alarmTopic }: PlanWorkflowProps): void {
    const topic = alarmTopic === undefined ? {} : { topic: alarmTopic };
    const alarm = (id: string, metric: IMetric, instance: string) =>
      new RunbookAlarm(this, `${id}Alarm`, {
        environment,
        runbook: 'revocation-failed',
        metric,
        instance,
        ...topic,
      });
    alarm('Failed', this.stateMachine.metricFailed(), 'plan-failed');
    alarm('TimedOut', this.stateMachine.metricTimedOut(), 'plan-timed-out');
    alarm('Aborted', this.stateMachine.metricAborted(), 'plan-aborted');
    for (const [instance, watched] of Object.entries({
      plan: this.plan,
      preview: this.preview,
      conclude: this.conclude,
    })) {
      new FunctionAlarms(this, `Alarms-${instance}`, {
        environment,
        function: watched,
        service: services.revocation,
        runbook: 'revocation-function-errors',
        instance,
        ...topic,
      });
    }
  }
}

/** Writes the ARN of a machine's executions as the CDK writes it in the policy of a Distributed Map. */
function executionsOf(machine: StateMachine, which: string): string {
  const stack = Stack.of(machine);
  const { resourceName = '' } = stack.splitArn(machine.stateMachineArn, ArnFormat.COLON_RESOURCE_NAME);
  return stack.formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: `${resourceName}${which}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

const allow = (sid: string, actions: string[], resources: string[]): PolicyStatement =>
  new PolicyStatement({ sid, actions, resources });
