import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { entriesPrefix } from '../../core/audit/format.ts';
import { brakesPath, sourceOfOwner } from '../../core/deployed/names.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import type { Quarantine } from '../quarantine/quarantine.ts';
import { brakeStatements, grantOnBrakes } from '../rotation/brake-access.ts';
import { grantInvokeRotation } from '../rotation/grant-invoke.ts';
import { abandonOrPauseRotation, followRotation, startRotation } from '../rotation/rotation-start.ts';
import { grantOnSecrets, ownerOfCaller } from '../secret/grant-on-secrets.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { AccessRole, type AccessRoleProps, type OwnedAccessRoleProps } from './access-role.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import { operatorBoundary } from './operator-boundary.ts';
import { type PagedStatement, PolicyPages, sizedArn } from './policy-pages.ts';

/** Permits reading logs of functions, which hold names, codes and reasons, never a value. */
const readLogs = (sid: string): PagedStatement => ({ sid, actions: ['logs:FilterLogEvents'] });

/** Props of {@link OperatorRole}. */
export interface OperatorRoleProps extends OwnedAccessRoleProps {
  readonly secrets: readonly RotatedSecret[];
  /** Takes the record of a rotation that was given up. @default - none; the CLI can give up no rotation */
  readonly bus?: IRekeyBus;
  /**
   * Log groups of the secrets' rotation functions, where the CLI finds why a rotation failed. It learns their names from
   * the functions' configuration, so `health` must name the functions too.
   * @default - none; the CLI cannot tell why a rotation failed
   */
  readonly rotationLogs?: readonly ILogGroup[];
  /** True if rotation functions have brakes, which `rekey doctor` shows and `rekey resume` releases. @default false */
  readonly brakes?: boolean;
  /** True if there is a notifier, which `rekey notify test` tries and `rekey incident acknowledge` tells. @default false */
  readonly notifier?: boolean;
  /** Resources that `rekey doctor` looks at besides the secrets. @default - none */
  readonly health?: {
    readonly queues: readonly IQueue[];
    readonly functions: readonly IFunction[];
    readonly workflow: IStateMachine;
  };
  /** Function that looks fingerprints up. @default - none; the role cannot ask which secret holds a value */
  readonly fingerprintLookup?: IFunction;
}

/**
 * A role that rotates the environment's secrets and sees how they stand. It cannot read a value, revoke, or read the audit log.
 */
export class OperatorRole extends AccessRole {
  constructor(scope: Construct, id: string, props: OperatorRoleProps) {
    super(scope, id, props, 'rotates secrets and sees how they stand');
    const { environment, secrets, rotationLogs = [], byOwner = false } = props;
    const pages = new PolicyPages(this.role);
    const grants = [startRotation, followRotation, abandonOrPauseRotation];
    grantOnSecrets(this.role, pages, { environment, secrets, grants, byOwner });
    this.boundary.add(...operatorBoundary(this.role, { environment, secrets, grants, byOwner }));
    const allowEach = (statement: PagedStatement, arns: readonly string[]) => {
      for (const arn of arns) {
        pages.add(statement, sizedArn(arn));
      }
    };
    grantInvokeRotation(this.role, pages, { environment, secrets });
    this.mayLookUp(props.fingerprintLookup);
    allowEach(
      readLogs('RotationLogs'),
      rotationLogs.map(({ logGroupArn }) => logGroupArn),
    );
    if (props.brakes === true) {
      const path = brakesPath(environment);
      grantOnBrakes(this.role, path, { mayDelete: false });
      this.boundary.add(...brakeStatements(this.role, path, { mayDelete: false }));
    }
    // The record of a rotation that was given up, of a pause, and of a brake that was let go.
    props.bus?.grantPublish(this.grantee, 'rekey.cli', [
      'Secret Rotation Abandoned',
      'Secret Rotation Paused',
      'Secret Rotation Resumed',
      ...(props.brakes === true ? (['Rotation Function Released'] as const) : []),
      ...(props.notifier === true ? (['Incident Acknowledged', 'Notification Test Requested'] as const) : []),
    ]);
    if (props.health !== undefined) {
      const { queues, functions, workflow } = props.health;
      this.allow(
        'QueueDepths',
        ['sqs:GetQueueAttributes'],
        queues.map(({ queueArn }) => queueArn),
      );
      allowEach(
        { sid: 'FunctionStates', actions: ['lambda:GetFunctionConfiguration'] },
        functions.map(({ functionArn }) => functionArn),
      );
      this.allow('WorkflowState', ['states:DescribeStateMachine'], [workflow.stateMachineArn]);
      this.allow('BusRules', ['events:ListRules'], ['*']);
      acknowledgeWildcards(this.role, ['*'], 'Rules are listed by bus; the action takes no resource.');
    }
  }
}

/** Props of {@link ResponderRole}. */
export interface ResponderRoleProps extends OwnedAccessRoleProps {
  readonly bus: IRekeyBus;
  /** The revocation workflow, whose executions the responder may follow. */
  readonly workflow: IStateMachine;
  /**
   * The workflow of several secrets, whose executions the responder may follow, and the function that shows its plans.
   * @default - none; the role can follow revocations of one secret alone, and sees no plan before it asks
   */
  readonly plans?: { readonly stateMachine: IStateMachine; readonly preview: IFunction };
  /**
   * Log group of the intake, where the CLI finds why a request was rejected.
   * @default - none; a rejected request looks as if nobody had taken it up
   */
  readonly intakeLogs?: ILogGroup;
  /** Function that looks fingerprints up. @default - none; the role cannot ask which secret holds a value */
  readonly fingerprintLookup?: IFunction;
  /** True if there is a notifier, which `rekey incident acknowledge` tells. @default false */
  readonly notifier?: boolean;
  /**
   * Quarantines that the responder asks for, and sees refused. A responder of one owner alone asks for none: a principal has no
   * owner.
   * @default - none
   */
  readonly quarantine?: Quarantine;
}

/** A role that asks for revocations with the CLI and follows them. It cannot read a value, rotate, or read the audit log. */
export class ResponderRole extends AccessRole {
  constructor(scope: Construct, id: string, props: ResponderRoleProps) {
    super(scope, id, props, 'asks for revocations and follows them');
    // The bus is all that IAM sees of a request, so the owner stands in its source, and the intake holds the request to it.
    const source = props.byOwner === true ? sourceOfOwner('rekey.cli', ownerOfCaller) : 'rekey.cli';
    const quarantine = props.byOwner === true ? undefined : props.quarantine;
    props.bus.grantPublish(this.grantee, source, [
      'Secret Revocation Requested',
      ...(source === 'rekey.cli' ? (['Revocation Task Done'] as const) : []),
      ...(quarantine === undefined
        ? []
        : (['Principal Quarantine Requested', 'Principal Quarantine Lift Requested'] as const)),
      ...(props.notifier === true && source === 'rekey.cli' ? (['Incident Acknowledged'] as const) : []),
    ]);
    if (props.notifier === true && source !== 'rekey.cli') {
      props.bus.grantPublish(this.grantee, 'rekey.cli', ['Incident Acknowledged']);
    }
    this.mayLookUp(props.fingerprintLookup);
    if (props.intakeLogs !== undefined) {
      const { sid, actions } = readLogs('IntakeLogs');
      this.allow(sid, [...actions], [props.intakeLogs.logGroupArn]);
    }
    if (quarantine !== undefined) {
      const { sid, actions } = readLogs('QuarantineLogs');
      this.allow(sid, [...actions], [quarantine.function.logGroup.logGroupArn]);
    }
    // A plan names the secrets of all owners.
    if (props.plans !== undefined && props.byOwner !== true) {
      this.allow('ShowPlans', ['lambda:InvokeFunction'], [props.plans.preview.functionArn]);
    }
    const workflows = [props.workflow, ...(props.plans === undefined ? [] : [props.plans.stateMachine])].map(
      ({ stateMachineArn }) => stateMachineArn,
    );
    this.allow('ListRevocations', ['states:ListExecutions'], workflows);
    const stack = Stack.of(this);
    const executions = workflows.map((arn) =>
      stack.formatArn({
        service: 'states',
        resource: 'execution',
        resourceName: `${stack.splitArn(arn, ArnFormat.COLON_RESOURCE_NAME).resourceName}:*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    );
    this.allow('FollowRevocations', ['states:DescribeExecution', 'states:GetExecutionHistory'], executions);
    acknowledgeWildcards(
      this.role,
      executions,
      'Executions of the revocation workflows get their names when they start.',
    );
  }
}

/** Props of {@link AuditorRole}. */
export interface AuditorRoleProps extends AccessRoleProps {
  /** The bucket of the audit log. */
  readonly bucket: IBucket | Bucket;
  /** The key of the bucket. */
  readonly key: IKey;
  /**
   * Takes the record of a legal hold, which `rekey incident report --legal-hold` places.
   * @default - none; the role can hold no records
   */
  readonly bus?: IRekeyBus;
}

/**
 * A role that reads the audit log with all its versions and locks. It cannot read a value, rotate, or revoke. With a bus it may
 * keep records beyond their lock, and nothing that takes such a hold off.
 */
export class AuditorRole extends AccessRole {
  constructor(scope: Construct, id: string, props: AuditorRoleProps) {
    super(scope, id, props, 'reads the audit log');
    const { bucket, key } = props;
    this.allow(
      'ListRecords',
      [
        's3:ListBucket',
        's3:ListBucketVersions',
        's3:GetBucketObjectLockConfiguration',
        's3:GetBucketVersioning',
        's3:GetBucketLocation',
      ],
      [bucket.bucketArn],
    );
    this.allow(
      'ReadRecords',
      ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectRetention'],
      [bucket.arnForObjects('*')],
    );
    this.allow('DecryptRecords', ['kms:Decrypt'], [key.keyArn], {
      StringEquals: { 'kms:ViaService': `s3.${Stack.of(this).region}.amazonaws.com` },
    });
    acknowledgeWildcards(
      this.role,
      [bucket.arnForObjects('*')],
      'All records of the audit log, which are named by time.',
    );
    if (props.bus === undefined) return;
    const entries = bucket.arnForObjects(`${entriesPrefix}*`);
    // The same action takes a hold off, which this condition leaves to administrators.
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
    this.allow('HoldRecords', ['s3:PutObjectLegalHold'], [entries], {
      StringEquals: { 's3:object-lock-legal-hold': 'ON' },
    });
    props.bus.grantPublish(this.grantee, 'rekey.cli', ['Legal Hold Placed']);
    acknowledgeWildcards(this.role, [entries], 'The records of the log, which are named by their sequence.');
  }
}
