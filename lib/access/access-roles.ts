import { ArnFormat, Stack, Tags } from 'aws-cdk-lib';
import {
  AccountPrincipal,
  ArnPrincipal,
  CompositePrincipal,
  Effect,
  type IPrincipal,
  PolicyStatement,
  type PrincipalBase,
  PrincipalWithConditions,
  Role,
} from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { brakesPath, definitionsPath, deploymentPath, environmentTag } from '../../core/deployed/names.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { grantOnBrakes } from '../rotation/brake-access.ts';
import { grantInvokeRotation } from '../rotation/grant-invoke.ts';
import { abandonOrPauseRotation, followRotation, startRotation } from '../rotation/rotation-start.ts';
import { grantOnSecrets } from '../secret/grant-on-secrets.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { acknowledgeWildcards } from './acknowledge.ts';
import { type PagedStatement, PolicyPages, sizedArn } from './policy-pages.ts';

/** Props that the three roles have in common. */
export interface AccessRoleProps {
  readonly environment: string;
  /**
   * Account ids, and ARNs of roles or users, that may assume the role. An account id lets in whomever that account's
   * administrators allow. `*` in a role's name matches the generated names of IAM Identity Center.
   */
  readonly principals: readonly [string, ...string[]];
}

/** A role for people and pipelines. None of the three can read a secret's value or do another's work. */
abstract class AccessRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, props: AccessRoleProps, description: string) {
    super(scope, id);
    const [first, ...others] = props.principals.map((principal) => trusted(this, principal));
    if (first === undefined) {
      throw new RekeyError(
        'ConstructInvalid',
        `${id}: needs at least one principal that may assume the role`,
      );
    }
    this.role = new Role(this, 'Role', {
      description: `Rekey ${props.environment}: ${description}`,
      assumedBy: others.length === 0 ? first : new CompositePrincipal(first, ...others),
    });
    Tags.of(this.role).add(environmentTag, props.environment);
    const parameters = this.parameters(props);
    this.allow('Definitions', ['ssm:GetParameter', 'ssm:GetParametersByPath'], parameters);
    // A later grant by mistake must not open the values.
    this.role.addToPolicy(
      new PolicyStatement({
        sid: 'NoSecretValues',
        effect: Effect.DENY,
        actions: ['secretsmanager:GetSecretValue', 'secretsmanager:BatchGetSecretValue'],
        resources: ['*'],
      }),
    );
    acknowledgeWildcards(
      this.role,
      parameters.filter((arn) => arn.endsWith('/*')),
      'The parameters below these paths of the environment hold names and settings only.',
    );
  }

  protected allow(
    sid: string,
    actions: string[],
    resources: string[],
    conditions: Record<string, Record<string, string>> = {},
  ): void {
    this.role.addToPolicy(new PolicyStatement({ sid, actions, resources, conditions }));
  }

  /**
   * Lists the ARNs of an environment's parameters. Reading by path asks for the path itself, reading by name for what is below.
   */
  private parameters({ environment }: AccessRoleProps): string[] {
    return [definitionsPath(environment), deploymentPath(environment)].flatMap((path) => {
      const arn = Stack.of(this).formatArn({
        service: 'ssm',
        resource: 'parameter',
        resourceName: path.slice(1),
      });
      return [arn, `${arn}/*`];
    });
  }
}

/** Lets a role ask which secret holds a value, by the value's hash. */
function permitLookup(role: Role, lookup: IFunction | undefined): void {
  if (lookup === undefined) return;
  role.addToPolicy(
    new PolicyStatement({
      sid: 'LookUpFingerprints',
      actions: ['lambda:InvokeFunction'],
      resources: [lookup.functionArn],
    }),
  );
}

/** Permits reading logs of functions, which hold names, codes and reasons, never a value. */
const readLogs = (sid: string): PagedStatement => ({ sid, actions: ['logs:FilterLogEvents'] });

/**
 * Makes the principal of a role's trust policy. IAM takes no wildcard in a principal's ARN; the account with a condition on the
 * caller's ARN says the same.
 */
function trusted(scope: Construct, principal: string): PrincipalBase {
  if (/^\d{12}$/.test(principal)) {
    return new AccountPrincipal(principal);
  }
  if (!principal.includes('*')) {
    return new ArnPrincipal(principal);
  }
  const account = Stack.of(scope).splitArn(principal, ArnFormat.SLASH_RESOURCE_NAME).account ?? '';
  return new PrincipalWithConditions(new AccountPrincipal(account) as IPrincipal, {
    ArnLike: { 'aws:PrincipalArn': principal },
  });
}

/** Props of {@link OperatorRole}. */
export interface OperatorRoleProps extends AccessRoleProps {
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
    const { environment, secrets, rotationLogs = [] } = props;
    const pages = new PolicyPages(this.role);
    grantOnSecrets(this.role, pages, {
      environment,
      secrets,
      grants: [startRotation, followRotation, abandonOrPauseRotation],
    });
    const allowEach = (statement: PagedStatement, arns: readonly string[]) => {
      for (const arn of arns) {
        pages.add(statement, sizedArn(arn));
      }
    };
    grantInvokeRotation(this.role, pages, { environment, secrets });
    permitLookup(this.role, props.fingerprintLookup);
    allowEach(
      readLogs('RotationLogs'),
      rotationLogs.map(({ logGroupArn }) => logGroupArn),
    );
    if (props.brakes === true) grantOnBrakes(this.role, brakesPath(environment), { mayDelete: false });
    // The record of a rotation that was given up, of a pause, and of a brake that was let go.
    props.bus?.grantPublish(this.role, 'rekey.cli', [
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
export interface ResponderRoleProps extends AccessRoleProps {
  readonly bus: IRekeyBus;
  /** The revocation workflow, whose executions the responder may follow. */
  readonly workflow: IStateMachine;
  /**
   * Log group of the intake, where the CLI finds why a request was rejected.
   * @default - none; a rejected request looks as if nobody had taken it up
   */
  readonly intakeLogs?: ILogGroup;
  /** Function that looks fingerprints up. @default - none; the role cannot ask which secret holds a value */
  readonly fingerprintLookup?: IFunction;
  /** True if there is a notifier, which `rekey incident acknowledge` tells. @default false */
  readonly notifier?: boolean;
}

/** A role that asks for revocations with the CLI and follows them. It cannot read a value, rotate, or read the audit log. */
export class ResponderRole extends AccessRole {
  constructor(scope: Construct, id: string, props: ResponderRoleProps) {
    super(scope, id, props, 'asks for revocations and follows them');
    props.bus.grantPublish(this.role, 'rekey.cli', [
      'Secret Revocation Requested',
      ...(props.notifier === true ? (['Incident Acknowledged'] as const) : []),
    ]);
    permitLookup(this.role, props.fingerprintLookup);
    if (props.intakeLogs !== undefined) {
      const { sid, actions } = readLogs('IntakeLogs');
      this.allow(sid, [...actions], [props.intakeLogs.logGroupArn]);
    }
    this.allow('ListRevocations', ['states:ListExecutions'], [props.workflow.stateMachineArn]);
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${Stack.of(this).splitArn(props.workflow.stateMachineArn, ArnFormat.COLON_RESOURCE_NAME).resourceName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.allow('FollowRevocations', ['states:DescribeExecution', 'states:GetExecutionHistory'], [executions]);
    acknowledgeWildcards(
      this.role,
      [executions],
      'Executions of the revocation workflow get their names when they start.',
    );
  }
}

/** Props of {@link AuditorRole}. */
export interface AuditorRoleProps extends AccessRoleProps {
  /** The bucket of the audit log. */
  readonly bucket: IBucket | Bucket;
  /** The key of the bucket. */
  readonly key: IKey;
}

/** A role that reads the audit log with all its versions and locks. It cannot read a value, rotate, or revoke. */
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
  }
}
