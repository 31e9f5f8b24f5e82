import { Annotations, ArnFormat, Aspects, Duration, Stack } from 'aws-cdk-lib';
import type { IMetric, Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { coordinatorSource, deploymentParameters, metrics, services } from '../../core/deployed/names.ts';
import {
  revocationIntakeEnvironmentSchema,
  revocationReportEnvironmentSchema,
  revocationRotateEnvironmentSchema,
} from '../../core/deployed/variables.ts';
import type { DetailType } from '../../core/events/catalogue.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import { PolicyPages } from '../access/policy-pages.ts';
import type { Approvals } from '../approval/approvals.ts';
import { grantAppend } from '../audit/grant-append.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { writeDeploymentParameters } from '../foundation/deployment-parameters.ts';
import { wholeNumber } from '../foundation/whole-number.ts';
import { createDeadLetterQueue } from '../function/dead-letters.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { RunbookAlarm, rekeyMetric } from '../observation/runbook-alarm.ts';
import type { RunbookName } from '../observation/runbooks.ts';
import { grantInvokeRotation } from '../rotation/grant-invoke.ts';
import { followRotation, startRotation } from '../rotation/rotation-start.ts';
import { grantFindDefinitions } from '../secret/definition-access.ts';
import { grantOnSecrets } from '../secret/grant-on-secrets.ts';
import { RotatedSecret } from '../secret/rotated-secret.ts';
import type { Attribution } from '../trail/attribution.ts';
import { CoordinationRole, type CoordinatorEnvironment } from './coordination-role.ts';
import { loggedWorkflow } from './logged-workflow.ts';
import type { MemberEnvironment } from './plan-members.ts';
import { PlanStorage } from './plan-storage.ts';
import { PlanWorkflow } from './plan-workflow.ts';
import { revocationStates, rotateTimeout } from './revocation-states.ts';

/** Props of {@link RevocationWorkflow}. */
export interface RevocationWorkflowProps {
  readonly bus: IRekeyBus;
  /** Queue of the audit log; records go here when the bus does not take them. */
  readonly auditQueue: IQueue;
  /** The secrets that can be revoked. */
  readonly secrets: readonly RotatedSecret[];
  /**
   * Values of an event's `source` that may ask for a revocation.
   * @default ['rekey.cli']
   */
  readonly allowedSources?: readonly string[];
  /**
   * Accounts besides the own one that may ask. Their events must reach the bus by its resource policy.
   * @default - none
   */
  readonly allowedAccounts?: readonly string[];
  /**
   * Age above which requests are refused, in whole hours up to 7 days.
   * @default Duration.hours(24)
   */
  readonly maximumRequestAge?: Duration;
  /**
   * Executions that Lambda keeps free for the intake, and for each of the workflow's own functions.
   * @default - they share the account's unreserved concurrency
   */
  readonly reservedConcurrency?: { readonly [name in 'intake' | 'workflow']?: number | undefined };
  /**
   * Rotations that revocations of several secrets start in a second, a whole number from 1 to 100. A revocation of one secret
   * counts, and does not wait.
   * @default - as many as AWS's quotas allow, 20
   */
  readonly rotationsPerSecond?: number;
  /** The second person that some revocations need. @default - none needs one */
  readonly approvals?: Approvals;
  /** Memory of who really read, for revocations of what a principal may read. @default - IAM's policies alone say it */
  readonly attribution?: Attribution;
  /** Environments elsewhere, in other accounts or regions, that a request may be about, by name. @default - none */
  readonly members?: Readonly<Record<string, MemberEnvironment>>;
  /** Environment elsewhere whose requests may be about secrets of this one. @default - none */
  readonly coordinator?: CoordinatorEnvironment;
  /** Topic that is told when a revocation fails, is rejected, or cannot be taken. @default - nobody; seen in the console only */
  readonly alarmTopic?: ITopic;
  /** Time for which logs are kept. @default RetentionDays.ONE_YEAR */
  readonly logRetention?: RetentionDays;
}

/**
 * Revokes leaked credentials when an event `Secret Revocation Requested` comes over the bus. It makes the credential stop
 * working at its target, replaces it, proves both by trying, and reports. See `docs/revocation.md`.
 *
 * @example
 * new RevocationWorkflow(this, 'Revocation', {
 *   bus, auditQueue: log.queue, secrets: [orders],
 *   allowedSources: ['rekey.cli', 'acme.secret-scanner'],
 * });
 */
export class RevocationWorkflow extends Construct {
  readonly stateMachine: StateMachine;
  private readonly environment: string;
  /** Requests that could not be taken. */
  readonly deadLetterQueue: Queue;
  readonly intake: StandardFunction<typeof revocationIntakeEnvironmentSchema>;
  readonly rotate: StandardFunction<typeof revocationRotateEnvironmentSchema>;
  readonly report: StandardFunction<typeof revocationReportEnvironmentSchema>;
  /** Revokes several secrets by one plan. */
  readonly plans: PlanWorkflow;

  constructor(scope: Construct, id: string, props: RevocationWorkflowProps) {
    super(scope, id);
    const { auditQueue, secrets } = props;
    const { environment } = props.bus;
    this.environment = environment;
    this.deadLetterQueue = createDeadLetterQueue(this);
    const reserved = (name: 'intake' | 'workflow') => {
      const reservedConcurrency = props.reservedConcurrency?.[name];
      return reservedConcurrency === undefined ? {} : { reservedConcurrency };
    };
    const common = {
      REKEY_ENVIRONMENT: environment,
      REKEY_EVENT_BUS: props.bus.eventBus.eventBusName,
      REKEY_AUDIT_QUEUE_URL: auditQueue.queueUrl,
    };
    const storage = new PlanStorage(this, 'Plans');
    this.rotate = new StandardFunction(this, 'Rotate', {
      entry: 'revocation-rotation',
      service: services.revocation,
      description: `Rekey ${environment}: replaces a revoked credential`,
      environmentSchema: revocationRotateEnvironmentSchema,
      ...reserved('workflow'),
      environment: {
        REKEY_ENVIRONMENT: environment,
        REKEY_PACE_TABLE: storage.table.tableName,
        ...(props.rotationsPerSecond !== undefined && {
          REKEY_ROTATIONS_PER_SECOND: String(props.rotationsPerSecond),
        }),
      },
      timeout: rotateTimeout,
    });
    storage.grantPace(this.rotate.role);
    this.report = new StandardFunction(this, 'Report', {
      entry: 'revocation-report',
      service: services.revocation,
      description: `Rekey ${environment}: reports how a revocation ended`,
      environmentSchema: revocationReportEnvironmentSchema,
      ...reserved('workflow'),
      environment: { ...common, REKEY_OUTCOME_TABLE: storage.table.tableName },
    });
    this.report.role.addToPolicy(
      new PolicyStatement({
        sid: 'NoteOutcomes',
        actions: ['dynamodb:UpdateItem'],
        resources: [storage.table.tableArn],
      }),
    );
    this.stateMachine = this.createStateMachine(props);
    this.plans = new PlanWorkflow(this, 'PlanWorkflow', {
      bus: props.bus,
      auditQueue,
      storage,
      deadLetterQueue: this.deadLetterQueue,
      functions: { rotate: this.rotate, report: this.report },
      ...reserved('workflow'),
      ...(props.approvals !== undefined && { approvals: props.approvals }),
      ...(props.attribution !== undefined && { attribution: props.attribution }),
      ...(props.members !== undefined && { members: props.members }),
      ...(props.alarmTopic !== undefined && { alarmTopic: props.alarmTopic }),
      ...(props.logRetention !== undefined && { logRetention: props.logRetention }),
    });
    this.intake = new StandardFunction(this, 'Intake', {
      entry: 'revocation-intake',
      service: services.revocation,
      description: `Rekey ${environment}: takes revocation requests`,
      environmentSchema: revocationIntakeEnvironmentSchema,
      ...reserved('intake'),
      environment: {
        ...common,
        REKEY_REVOCATION_WORKFLOW_ARN: this.stateMachine.stateMachineArn,
        REKEY_PLAN_WORKFLOW_ARN: this.plans.stateMachine.stateMachineArn,
        REKEY_REVOCATION_SOURCES: [
          ...(props.allowedSources ?? ['rekey.cli']),
          ...(props.coordinator === undefined ? [] : [coordinatorSource]),
        ].join(','),
        REKEY_REVOCATION_ACCOUNTS: (props.allowedAccounts ?? []).join(','),
        REKEY_REVOCATION_MAXIMUM_AGE_HOURS: String(
          wholeNumber('hours', props.maximumRequestAge ?? Duration.hours(24), {
            id,
            prop: 'maximumRequestAge',
            atLeast: 1,
            atMost: 168,
          }),
        ),
        ...approvalVariables(props.approvals),
      },
    });

    this.permitIntake(props);
    grantFindDefinitions(this.rotate.role, environment);
    // They read no value, so they do not need the secrets' keys.
    grantOnSecrets(this.intake.role, new PolicyPages(this.intake.role), {
      environment,
      secrets,
      grants: [{ ...followRotation, sid: 'FindVersions' }],
    });
    const rotates = new PolicyPages(this.rotate.role);
    grantOnSecrets(this.rotate.role, rotates, {
      environment,
      secrets,
      grants: [startRotation, followRotation],
    });
    grantInvokeRotation(this.rotate.role, rotates, { environment, secrets });
    // Each announces its own part alone: what takes requests cannot say that one succeeded.
    const announce = ({ role }: StandardFunction, detailTypes: readonly DetailType[]) => {
      props.bus.grantPublish(role, 'rekey.revocation', detailTypes);
      grantAppend(role, auditQueue);
    };
    announce(this.intake, [
      'Secret Revocation Started',
      'Secret Revocation Rejected',
      ...(props.approvals === undefined ? [] : (['Approval Bypassed'] as const)),
    ]);
    props.approvals?.grantAuthors(this.intake.role);
    announce(this.report, [
      'Secret Revocation Succeeded',
      'Secret Revocation Unproven',
      'Secret Revocation Failed',
    ]);
    if (props.coordinator !== undefined) {
      new CoordinationRole(this, 'Coordination', {
        bus: props.bus,
        coordinator: props.coordinator,
        preview: this.plans.preview,
        planWorkflow: this.plans.stateMachine,
        table: storage.table,
        intakeLogGroup: this.intake.logGroup,
      });
    }
    this.connect(props);
    this.watch(props);
    // At synth, when all secrets of the app are there.
    Aspects.of(this).add({ visit: (node) => node === this && this.warnOfUnlisted(props) });
    writeDeploymentParameters(this, environment, {
      [deploymentParameters.revocationWorkflowArn]: this.stateMachine.stateMachineArn,
      [deploymentParameters.planWorkflowArn]: this.plans.stateMachine.stateMachineArn,
      [deploymentParameters.planPreviewFunction]: this.plans.preview.functionName,
      [deploymentParameters.revocationIntakeLogGroup]: this.intake.logGroup.logGroupName,
      [deploymentParameters.revocationDeadLetterQueueUrl]: this.deadLetterQueue.queueUrl,
    });
  }

  /**
   * Finds adopted secrets on the same bus that are not listed, and warns of them. Only by the list may the revocation replace
   * them; those that Rekey created are told by their tag.
   */
  private warnOfUnlisted({ bus, secrets }: RevocationWorkflowProps): void {
    for (const secret of this.node.root.node.findAll()) {
      if (!(secret instanceof RotatedSecret) || secret.bus !== bus) continue;
      if (secret.inNamespace || secrets.includes(secret)) continue;
      Annotations.of(secret).addWarningV2(
        'rekey:not-listed-by-revocation',
        `the revocation ${this.node.path} may not replace it, since Rekey did not create it: add it to the workflow's secrets`,
      );
    }
  }

  private createStateMachine(props: RevocationWorkflowProps): StateMachine {
    const { environment } = props.bus;
    const machine = loggedWorkflow(this, {
      environment,
      states: revocationStates(
        new Construct(this, 'States'),
        { rotate: this.rotate, report: this.report },
        props.approvals,
      ),
      does: 'revokes a credential and proves it',
      log: 'revocation',
      // Each state is tried a limited number of times; this is longer than all of them take where a reset takes minutes.
      timeout: Duration.hours(4).plus(Duration.minutes(props.approvals?.minutes ?? 0)),
      logRetention: props.logRetention,
      approvals: props.approvals,
    });
    acknowledgeWildcards(
      machine.role,
      ['*', `${this.rotate.functionArn}:*`, `${this.report.functionArn}:*`],
      'Versions of the own functions; and the actions for traces and for the delivery of logs, which do not support resource-level permissions.',
    );
    return machine;
  }

  /** Lets the intake find the definition and the versions, and start this one workflow. It reads no value. */
  private permitIntake({ bus: { environment } }: RevocationWorkflowProps): void {
    const allow = (sid: string, actions: string[], resources: string[]) =>
      this.intake.role.addToPolicy(new PolicyStatement({ sid, actions, resources }));
    const machines = [this.stateMachine, this.plans.stateMachine];
    const executions = machines.map(({ stateMachineName }) =>
      Stack.of(this).formatArn({
        service: 'states',
        resource: 'execution',
        resourceName: `${stateMachineName}:*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    );
    grantFindDefinitions(this.intake.role, environment);
    const arns = machines.map(({ stateMachineArn }) => stateMachineArn);
    allow('Start', ['states:StartExecution'], arns);
    allow('CompareRepeated', ['states:DescribeExecution'], executions);
    acknowledgeWildcards(this.intake.role, executions, 'The executions of the two workflows.');
  }

  /** Counts the revocations that ended with proof. @default - sum over five minutes */
  metricSucceeded(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.revocation, metrics.revocationSucceeded, options);
  }

  /** Counts the revocations that failed. @default - sum over five minutes */
  metricFailed(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.revocation, metrics.revocationFailed, options);
  }

  /** Counts the revocations that replaced a credential and could prove nothing. @default - sum over five minutes */
  metricUnproven(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.revocation, metrics.revocationUnproven, options);
  }

  /** Counts the requests that were rejected. @default - sum over five minutes */
  metricRejected(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.revocation, metrics.revocationRejected, options);
  }

  /** Measures the time from a request to the target's first refusal, in milliseconds. @default - average over five minutes */
  metricTimeToRefusal(options: MetricOptions = {}): Metric {
    const average = { statistic: 'Average', ...options };
    return rekeyMetric(this.environment, services.revocation, metrics.timeToRefusal, average);
  }

  /** Sends requests to the intake, and executions that ended without their report to the report. */
  private connect({ bus }: RevocationWorkflowProps): void {
    const { environment } = bus;
    bus.onEvent(this, 'Requested', {
      description: `Rekey ${environment}: revocation requests, from whatever source, to the intake`,
      detailTypes: ['Secret Revocation Requested'],
      target: new LambdaFunction(this.intake, {
        deadLetterQueue: this.deadLetterQueue,
        retryAttempts: 20,
        maxEventAge: Duration.hours(1),
      }),
    });
    this.intake.configureAsyncInvoke({
      maxEventAge: Duration.hours(1),
      retryAttempts: 2,
      onFailure: new SqsDestination(this.deadLetterQueue),
    });
    // One that failed with its report has the same record already: it is one fact, and recorded once.
    new Rule(this, 'EndedEarly', {
      description: `Rekey ${environment}: revocations that ended without a report are reported as failed`,
      eventPattern: {
        source: Match.exactString('aws.states'),
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [this.stateMachine.stateMachineArn],
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
        },
      },
      targets: [new LambdaFunction(this.report, { deadLetterQueue: this.deadLetterQueue })],
    });
  }

  private watch({ bus: { environment }, alarmTopic, approvals }: RevocationWorkflowProps): void {
    const alarm = (id: string, runbook: RunbookName, metric: IMetric, instance?: string) =>
      new RunbookAlarm(this, `${id}Alarm`, {
        environment,
        runbook,
        metric,
        ...(instance !== undefined && { instance }),
        ...(alarmTopic !== undefined && { topic: alarmTopic }),
      });
    const metric = (name: (typeof metrics)[keyof typeof metrics]) =>
      rekeyMetric(environment, services.revocation, name);
    alarm('Failed', 'revocation-failed', metric(metrics.revocationFailed));
    alarm('Unproven', 'revocation-unproven', metric(metrics.revocationUnproven));
    alarm('Rejected', 'revocation-rejected', metric(metrics.revocationRejected));
    if (approvals !== undefined) alarm('Bypassed', 'approval-bypassed', metric(metrics.approvalBypassed));
    alarm('Unrecorded', 'audit-publish-failed', metric(metrics.auditPublishFailed), services.revocation);
    alarm(
      'DeadLetter',
      'revocation-dead-letters',
      this.deadLetterQueue.metricApproximateNumberOfMessagesVisible(),
    );
    // Also when the report itself could not be made. One alarm each: a sum has no data, or false zeros, where one has none.
    alarm('WorkflowFailed', 'revocation-failed', this.stateMachine.metricFailed(), 'workflow-failed');
    alarm('WorkflowTimedOut', 'revocation-failed', this.stateMachine.metricTimedOut(), 'workflow-timed-out');
    alarm('WorkflowAborted', 'revocation-failed', this.stateMachine.metricAborted(), 'workflow-aborted');
    for (const [instance, watched] of Object.entries({
      intake: this.intake,
      rotate: this.rotate,
      report: this.report,
    })) {
      new FunctionAlarms(this, `Alarms-${instance}`, {
        environment,
        function: watched,
        service: services.revocation,
        runbook: 'revocation-function-errors',
        instance,
        ...(alarmTopic !== undefined && { topic: alarmTopic }),
      });
    }
  }
}

/** Makes the variables by which the intake knows what needs a second person. */
function approvalVariables(approvals: Approvals | undefined): Record<string, string> {
  return approvals === undefined
    ? {}
    : {
        REKEY_APPROVAL_TABLE: approvals.table.tableName,
        REKEY_APPROVAL_MODES: approvals.revocation.join(','),
        REKEY_APPROVAL_BREAK_GLASS: String(approvals.breakGlass),
      };
}
