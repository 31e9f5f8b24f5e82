import { Aws, type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, type IRole, Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { type FunctionUrl, FunctionUrlAuthType, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { CustomState, type StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { ApprovalFacts } from '../../core/approval/deployed.ts';
import type { ApprovalOperation, ExpiryRule } from '../../core/approval/request.ts';
import { approvalRolesPath, deploymentParameters, metrics, services } from '../../core/deployed/names.ts';
import type { FunctionEnvironment } from '../../core/deployed/variables.ts';
import {
  approvalAnswerEnvironmentSchema,
  approvalDeskEnvironmentSchema,
  approvalPageEnvironmentSchema,
  approvalWaitEnvironmentSchema,
} from '../../core/deployed/variables.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { RevocationMode } from '../../core/events/catalogue.ts';
import { grantAppend } from '../audit/grant-append.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { writeDeploymentParameters } from '../foundation/deployment-parameters.ts';
import { StandardFunction } from '../function/standard-function.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { RunbookAlarm, rekeyMetric } from '../observation/runbook-alarm.ts';

/** Props of {@link Approvals}. */
export interface ApprovalsProps {
  readonly bus: IRekeyBus;
  /** Queue of the audit log; records go here when the bus does not take them. */
  readonly auditQueue: IQueue;
  /** Modes of revocations that need a second person. @default - none */
  readonly revocation?: readonly RevocationMode[];
  /** Time that a second person has, in whole minutes from 5 up to a day. @default Duration.minutes(60) */
  readonly limit?: Duration;
  /** Time after which more people are told that nobody answers, in whole minutes. @default - nobody is told */
  readonly escalateAfter?: Duration;
  /** End of the time: the operation is refused, or goes on without an answer. @default 'refuse' */
  readonly onExpiry?: ExpiryRule;
  /** True to let a responder go on at once in an emergency, which is recorded and raises an alarm. @default true */
  readonly breakGlass?: boolean;
  /** Names of the people who may answer: those of their sessions. @default - everybody who may take a role that may answer */
  readonly approvers?: readonly string[];
  /** Mails by which those whom `approvers` names may answer, too. @default - people answer with the CLI alone */
  readonly links?: ApprovalLinks;
  /** Topic that is told when a function fails. @default - nobody; seen in the console only */
  readonly alarmTopic?: ITopic;
}

/** The links of {@link Approvals}. Each proves that somebody reads that person's mail, and no more. */
export interface ApprovalLinks {
  /**
   * Address that links are mailed from. It, or its domain, is an identity that Amazon SES has verified in the region, and the account
   * is out of the sandbox of SES.
   * @see https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
   */
  readonly from: string;
  /** Addresses of people, by their names in `approvers`. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** Paths, in the data of a workflow, to what a second person decides on. */
export interface WaitPaths {
  readonly id: string;
  readonly correlationId: string;
  readonly subject: string;
  readonly act: string;
  readonly author: string;
  readonly reason: string;
}

/** Seconds after which a waiting step comes back, to see to what is due. */
const roundSeconds = 60;

/**
 * Lets operations wait for a second person, who is never the one that asked. Requests wait in a table; a step of the workflow
 * waits with a task token; people answer with the CLI. See `docs/approvals.md`.
 *
 * @example
 * const approvals = new Approvals(this, 'Approvals', { bus, auditQueue: log.queue, revocation: ['replace'] });
 * new RevocationWorkflow(this, 'Revocation', { bus, auditQueue: log.queue, secrets: [orders], approvals });
 * approvals.grantRequest(responderRole);
 * approvals.grantAnswer(approverRole);
 */
export class Approvals extends Construct {
  /** Modes of revocations that need a second person. */
  readonly revocation: readonly RevocationMode[];
  readonly breakGlass: boolean;
  /** Time that a second person has, in minutes. */
  readonly minutes: number;
  /** The requests that wait. */
  readonly table: Table;
  /** Shows requests, and notes who asks. */
  readonly desk: StandardFunction<typeof approvalDeskEnvironmentSchema>;
  /** Takes answers. */
  readonly answers: StandardFunction<typeof approvalAnswerEnvironmentSchema>;
  /** Waits, as a step of workflows. */
  readonly waits: StandardFunction<typeof approvalWaitEnvironmentSchema>;
  /** All functions of the approvals. */
  readonly functions: readonly IFunction[];
  /** The page behind links, and the key that signs them. @default - there are no links */
  readonly links: { readonly url: FunctionUrl; readonly key: Key } | undefined;
  readonly #environment: string;
  readonly #pageRoles: Role[] = [];

  constructor(scope: Construct, id: string, props: ApprovalsProps) {
    super(scope, id);
    const { bus, auditQueue, approvers = [], onExpiry = 'refuse' } = props;
    const { environment } = bus;
    this.#environment = environment;
    this.revocation = props.revocation ?? [];
    this.breakGlass = props.breakGlass ?? true;
    this.minutes = props.limit?.toMinutes() ?? 60;
    const escalateAfter = props.escalateAfter?.toMinutes();
    if (escalateAfter !== undefined && escalateAfter >= this.minutes) {
      throw new RekeyError(
        'ConstructInvalid',
        `${id}: escalateAfter: ${escalateAfter} minutes are not less than the limit of ${this.minutes}`,
      );
    }
    this.table = new Table(this, 'Requests', {
      partitionKey: { name: 'id', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'forgetAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // What happened stands in the audit log; what waits here is of no use without the workflow.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const own = {
      REKEY_ENVIRONMENT: environment,
      REKEY_ACCOUNT: Stack.of(this).account,
      REKEY_APPROVAL_TABLE: this.table.tableName,
    };
    const records = {
      REKEY_EVENT_BUS: bus.eventBus.eventBusName,
      REKEY_AUDIT_QUEUE_URL: auditQueue.queueUrl,
    };
    const who = { REKEY_APPROVERS: approvers.join(',') };
    this.desk = new StandardFunction(this, 'Desk', {
      entry: 'approval-desk',
      service: services.approval,
      description: `Rekey ${environment}: shows requests for approval`,
      environmentSchema: approvalDeskEnvironmentSchema,
      environment: { ...own, ...who },
    });
    this.answers = new StandardFunction(this, 'Answers', {
      entry: 'approval-answer',
      service: services.approval,
      description: `Rekey ${environment}: takes answers to requests for approval`,
      environmentSchema: approvalAnswerEnvironmentSchema,
      environment: { ...own, ...records, ...who },
    });
    const page =
      props.links === undefined
        ? undefined
        : this.createPage(props, props.links, { ...own, ...records, ...who });
    this.links = page?.links;
    this.waits = new StandardFunction(this, 'Waits', {
      entry: 'approval-wait',
      service: services.approval,
      description: `Rekey ${environment}: waits for a second person`,
      environmentSchema: approvalWaitEnvironmentSchema,
      environment: {
        ...own,
        ...records,
        REKEY_APPROVAL_MINUTES: String(this.minutes),
        ...(escalateAfter !== undefined && { REKEY_APPROVAL_ESCALATE_MINUTES: String(escalateAfter) }),
        REKEY_APPROVAL_ON_EXPIRY: onExpiry,
        ...page?.mails,
      },
    });
    if (page !== undefined) this.permitMails(page.links.key, page.mails.REKEY_APPROVAL_MAIL_FROM);
    this.permit(this.desk, ['GetItem', 'UpdateItem'], 'author *');
    this.allow(this.desk, 'ShowRequests', ['dynamodb:GetItem', 'dynamodb:Scan'], this.table.tableArn);
    for (const settling of [this.answers, this.waits, ...(page === undefined ? [] : [page.served])]) {
      this.permit(settling, ['GetItem', 'UpdateItem'], 'request *');
      bus.grantPublish(settling.role, 'rekey.approval', [
        'Approval Requested',
        'Approval Escalated',
        'Approval Granted',
        'Approval Refused',
        'Approval Expired',
      ]);
      grantAppend(settling.role, auditQueue);
    }
    this.allow(this.desk, 'WhoMayAsk', ['ssm:GetParametersByPath'], this.rolesArn('ask'));
    this.allow(this.answers, 'WhoMayAnswer', ['ssm:GetParametersByPath'], this.rolesArn('answer'));
    this.functions = [this.desk, this.answers, this.waits, ...(page === undefined ? [] : [page.served])];
    for (const [instance, watched] of Object.entries({
      desk: this.desk,
      answers: this.answers,
      waits: this.waits,
      ...(page !== undefined && { page: page.served }),
    })) {
      new FunctionAlarms(this, `Alarms-${instance}`, {
        environment,
        function: watched,
        service: services.approval,
        runbook: 'approval-function-errors',
        instance,
        ...(props.alarmTopic !== undefined && { topic: props.alarmTopic }),
      });
    }
    new RunbookAlarm(this, 'UnrecordedAlarm', {
      environment,
      runbook: 'audit-publish-failed',
      instance: services.approval,
      metric: rekeyMetric(environment, services.approval, metrics.auditPublishFailed),
      ...(props.alarmTopic !== undefined && { topic: props.alarmTopic }),
    });
    const facts: ApprovalFacts = {
      revocation: [...this.revocation],
      breakGlass: this.breakGlass,
      minutes: this.minutes,
      onExpiry,
      approvers: [...approvers],
      desk: this.desk.functionArn,
      answers: this.answers.functionArn,
    };
    writeDeploymentParameters(this, environment, {
      [deploymentParameters.approvals]: Stack.of(this).toJsonString(facts),
    });
  }

  /**
   * Lets the sessions of a role ask for what needs approval, and see the requests.
   * @param grantee - what takes the grants, where the role has a boundary that must permit them too. @default - the role
   */
  grantRequest(role: IRole, grantee: IGrantable = role): void {
    this.grantRead(grantee);
    this.note(role, 'ask');
  }

  /**
   * Lets the sessions of a role answer requests, and see them. The person who asked is refused all the same.
   * @param grantee - what takes the grants, where the role has a boundary that must permit them too. @default - the role
   */
  grantAnswer(role: IRole, grantee: IGrantable = role): void {
    this.grantRead(grantee);
    this.mayInvoke(grantee, 'AnswerApprovals', this.answers);
    this.note(role, 'answer');
  }

  /** Lets somebody see the requests. */
  grantRead(grantee: IGrantable): void {
    this.mayInvoke(grantee, 'ShowApprovals', this.desk);
  }

  /** Lets somebody read who has proven to be the author of a request. */
  grantAuthors(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(this.onItems('ReadAuthors', ['GetItem'], 'author *'));
  }

  /**
   * Makes the state of a workflow that waits for a second person. Its result says whether the operation `proceeds`. It comes back
   * each minute, which heals what an earlier round left undone.
   * @param result - path in the data where the result goes
   * @see https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
   */
  waitState(
    scope: Construct,
    id: string,
    operation: ApprovalOperation,
    paths: WaitPaths,
    result: string,
  ): CustomState {
    const state = new CustomState(scope, id, {
      stateJson: {
        Type: 'Task',
        Resource: `arn:${Aws.PARTITION}:states:::lambda:invoke.waitForTaskToken`,
        TimeoutSeconds: roundSeconds,
        Parameters: {
          FunctionName: this.waits.functionArn,
          Payload: {
            operation,
            'taskToken.$': '$$.Task.Token',
            ...Object.fromEntries(Object.entries(paths).map(([name, path]) => [`${name}.$`, path])),
          },
        },
        ResultPath: result,
      },
    });
    state.addCatch(state, { errors: ['States.Timeout'], resultPath: '$.approvalRound' });
    return state;
  }

  /** Lets a workflow have its state wait here, and lets an answer have it go on. */
  connect(machine: StateMachine): void {
    machine.addToRolePolicy(
      new PolicyStatement({
        sid: 'WaitForApproval',
        actions: ['lambda:InvokeFunction'],
        resources: [this.waits.functionArn],
      }),
    );
    // A policy of its own: in the roles' default policies, the functions would wait for the workflow, and it waits for them.
    new Policy(this, `Resume${machine.node.addr.slice(-8)}`, {
      roles: [this.answers.role, this.waits.role, ...this.#pageRoles],
      statements: [
        new PolicyStatement({
          sid: 'GoOn',
          actions: ['states:SendTaskSuccess'],
          resources: [machine.stateMachineArn],
        }),
      ],
    });
  }

  /** Makes the page behind links. Anybody may open it; what it does follows from the link alone. */
  private createPage(
    { bus: { environment }, approvers = [] }: ApprovalsProps,
    { from, addresses }: ApprovalLinks,
    variables: Omit<FunctionEnvironment<typeof approvalPageEnvironmentSchema>, 'REKEY_APPROVAL_LINK_KEY'>,
  ) {
    const strangers = Object.keys(addresses).filter((name) => !approvers.includes(name));
    if (strangers.length > 0 || Object.keys(addresses).length === 0) {
      throw new RekeyError(
        'ConstructInvalid',
        `${this.node.path}: links are for those whom approvers names, not for ${strangers.join(', ') || 'nobody'}`,
      );
    }
    const key = new Key(this, 'LinkKey', {
      description: `Rekey ${environment}: signs links of approvals`,
      keySpec: KeySpec.HMAC_256,
      keyUsage: KeyUsage.GENERATE_VERIFY_MAC,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const served = new StandardFunction(this, 'Page', {
      entry: 'approval-page',
      service: services.approval,
      description: `Rekey ${environment}: serves the links of approvals`,
      environmentSchema: approvalPageEnvironmentSchema,
      environment: { ...variables, REKEY_APPROVAL_LINK_KEY: key.keyArn },
    });
    this.allow(served, 'CheckLinks', ['kms:VerifyMac'], key.keyArn);
    this.#pageRoles.push(served.role);
    const url = served.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    const mails = {
      REKEY_APPROVAL_MAIL_FROM: from,
      REKEY_APPROVAL_ADDRESSES: JSON.stringify(addresses),
      REKEY_APPROVAL_PAGE: url.url,
      REKEY_APPROVAL_LINK_KEY: key.keyArn,
    };
    return { served, links: { url, key }, mails };
  }

  /**
   * Lets the step that waits sign links and mail them from one address. SES asks about the identity that it has verified: the address,
   * its domain, or one above that.
   * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsesv2.html
   */
  private permitMails(key: Key, from: string): void {
    this.allow(this.waits, 'SignLinks', ['kms:GenerateMac'], key.keyArn);
    const labels = (from.split('@')[1] ?? '').split('.');
    const domains = labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'));
    this.waits.role.addToPrincipalPolicy(
      new PolicyStatement({
        sid: 'SendLinks',
        actions: ['ses:SendEmail'],
        resources: [from, ...domains].map((identity) =>
          Stack.of(this).formatArn({ service: 'ses', resource: 'identity', resourceName: identity }),
        ),
        conditions: { StringEquals: { 'ses:FromAddress': from } },
      }),
    );
  }

  private mayInvoke({ grantPrincipal }: IGrantable, sid: string, { functionArn }: StandardFunction): void {
    grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ sid, actions: ['lambda:InvokeFunction'], resources: [functionArn] }),
    );
  }

  /**
   * Notes a role where the functions look: who may invoke them may carry somebody else's signature. The parameter is of the role's
   * stack, so that neither stack waits for the other.
   */
  private note(role: IRole, what: 'ask' | 'answer'): void {
    new StringParameter(role, what === 'ask' ? 'MayAskForApproval' : 'MayAnswerApproval', {
      parameterName: `${approvalRolesPath(this.#environment, what)}/${role.node.addr.slice(-16)}`,
      description: `Rekey ${this.#environment}: a role whose sessions may ${what === 'ask' ? 'ask for what needs approval' : 'answer'}`,
      stringValue: role.roleArn,
    });
  }

  private allow(of: StandardFunction, sid: string, actions: string[], resource: string): void {
    of.role.addToPolicy(new PolicyStatement({ sid, actions, resources: [resource] }));
  }

  private permit(of: StandardFunction, actions: readonly string[], keys: string): void {
    of.role.addToPolicy(this.onItems('Requests', actions, keys));
  }

  /** Permits actions on items by their keys. @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html */
  private onItems(sid: string, actions: readonly string[], keys: string): PolicyStatement {
    return new PolicyStatement({
      sid,
      actions: actions.map((action) => `dynamodb:${action}`),
      resources: [this.table.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keys] } },
    });
  }

  private rolesArn(what: 'ask' | 'answer'): string {
    return Stack.of(this).formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: approvalRolesPath(this.#environment, what).slice(1),
    });
  }
}
