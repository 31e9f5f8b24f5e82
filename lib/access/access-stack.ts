import { Annotations, CfnOutput, Stack } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { deploymentParameters } from '../../core/deployed/names.ts';
import type { Parts } from '../../core/deployed/parts.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { writeDeploymentParameters } from '../foundation/deployment-parameters.ts';
import type { Quarantine } from '../quarantine/quarantine.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { AuditorRole, OperatorRole, ResponderRole } from './access-roles.ts';
import { type AnsweredApprovals, ApproverRole } from './approver-role.ts';
import { PolicyAuthorRole } from './policy-author-role.ts';

/** A part of the environment, such as its approvals: its functions, and the queue of what they could not handle. */
export interface WatchedPart {
  readonly functions: readonly IFunction[];
  readonly deadLetters?: IQueue;
}

/** Props of {@link AccessStack}. */
export interface AccessStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly auditLog: AuditLog;
  readonly secrets: readonly RotatedSecret[];
  readonly functions: readonly IFunction[];
  readonly queues: readonly IQueue[];
  readonly workflow: IStateMachine;
  /** The workflow of several secrets, and the function that shows its plans. */
  readonly plans: { readonly stateMachine: IStateMachine; readonly preview: IFunction };
  /** Log groups of the rotation functions. */
  readonly rotationLogs: readonly ILogGroup[];
  /** Log group of the revocation intake. */
  readonly intakeLogs: ILogGroup;
  /** Functions of the environment's other parts, which `rekey doctor` looks at. @default - none */
  readonly parts?: Readonly<Record<string, WatchedPart>>;
  /** Function that looks fingerprints up. @default - the environment keeps none */
  readonly fingerprintLookup?: IFunction;
  /** Quarantines that responders ask for. @default - nobody is quarantined */
  readonly quarantine?: Quarantine;
  /** Requests that approvers answer. @default - none */
  readonly approvals?: AnsweredApprovals;
}

/** The roles of people and pipelines, where the configuration names who may assume them. */
export class AccessStack extends Stack {
  readonly operator: OperatorRole | undefined;
  readonly responder: ResponderRole | undefined;
  readonly auditor: AuditorRole | undefined;
  readonly policyAuthor: PolicyAuthorRole | undefined;
  readonly approver: ApproverRole | undefined;

  constructor(scope: Construct, id: string, props: AccessStackProps) {
    super(scope, id, props);
    const { environment, bus, secrets, workflow, rotationLogs, intakeLogs, parts = {} } = props;
    const watched = Object.values(parts);
    const functions = [...props.functions, ...watched.flatMap((part) => part.functions)];
    const queues = [
      ...props.queues,
      ...watched.flatMap(({ deadLetters }) => (deadLetters === undefined ? [] : [deadLetters])),
    ];
    const lookup =
      props.fingerprintLookup === undefined ? {} : { fingerprintLookup: props.fingerprintLookup };
    const { operators, responders, auditors, policyAuthors, approvers, byOwner, sessionName } =
      props.configuration.access;
    const asked = { byOwner, ...(sessionName !== undefined && { sessionName }) };
    const notifier = Object.keys(props.configuration.notifications.channels).length > 0;
    this.operator = whenAny(
      operators,
      (principals) =>
        new OperatorRole(this, 'Operator', {
          environment,
          principals,
          secrets,
          bus,
          rotationLogs,
          ...asked,
          brakes: props.configuration.rotation.brakeAfter !== 0,
          notifier,
          health: { queues, functions, workflow },
          ...lookup,
        }),
    );
    this.responder = whenAny(
      responders,
      (principals) =>
        new ResponderRole(this, 'Responder', {
          environment,
          principals,
          ...asked,
          bus,
          workflow,
          plans: props.plans,
          intakeLogs,
          ...lookup,
          notifier,
          ...(props.quarantine !== undefined && { quarantine: props.quarantine }),
        }),
    );
    this.auditor = whenAny(
      auditors,
      (principals) =>
        new AuditorRole(this, 'Auditor', {
          environment,
          principals,
          mayCarryOwner: byOwner,
          // For exactOptionalPropertyTypes, which the CDK's own declarations do not keep to.
          bucket: props.auditLog.bucket,
          key: props.auditLog.key,
          bus,
        }),
    );
    this.policyAuthor = whenAny(
      policyAuthors,
      (principals) =>
        new PolicyAuthorRole(this, 'PolicyAuthor', { environment, principals, mayCarryOwner: byOwner }),
    );
    this.approver = whenAny(
      approvers,
      (principals) =>
        new ApproverRole(this, 'Approver', {
          environment,
          principals,
          mayCarryOwner: byOwner,
          ...(sessionName !== undefined && { sessionName }),
          ...(props.approvals !== undefined && { approvals: props.approvals }),
        }),
    );
    if (props.approvals !== undefined && sessionName === undefined) {
      Annotations.of(this).addWarningV2(
        'rekey:session-name-chosen',
        'a second person approves, and whoever takes a role chooses the name of the session, so one person can be two: set access.sessionName (docs/approvals.md)',
      );
    }
    const arns: Record<string, string> = {};
    for (const [name, access, who] of [
      ['Operator', this.operator, 'operator'],
      ['Responder', this.responder, 'responder'],
      ['Auditor', this.auditor, 'auditor'],
      ['PolicyAuthor', this.policyAuthor, 'policy author'],
      ['Approver', this.approver, 'approver'],
    ] as const) {
      if (access !== undefined) {
        arns[`${name[0]?.toLowerCase()}${name.slice(1)}`] = access.role.roleArn;
        new CfnOutput(this, `${name}RoleArn`, {
          value: access.role.roleArn,
          description: `Role of a ${who}`,
        });
      }
    }
    // Also what keeps the stack from being empty, which CloudFormation refuses, when nobody is named any more.
    writeDeploymentParameters(this, environment, { [deploymentParameters.roles]: this.toJsonString(arns) });
    if (watched.length > 0) {
      const facts: Parts = Object.fromEntries(
        Object.entries(parts).map(([name, part]) => [
          name,
          {
            functions: part.functions.map(({ functionArn }) => functionArn),
            ...(part.deadLetters !== undefined && { deadLetters: part.deadLetters.queueUrl }),
          },
        ]),
      );
      writeDeploymentParameters(this, environment, {
        [deploymentParameters.parts]: this.toJsonString(facts),
      });
    }
  }
}

function whenAny<Result>(
  [first, ...others]: readonly string[],
  build: (principals: [string, ...string[]]) => Result,
): Result | undefined {
  return first === undefined ? undefined : build([first, ...others]);
}
