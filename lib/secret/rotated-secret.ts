import {
  Annotations,
  CfnDeletionPolicy,
  type CustomResource,
  type Duration,
  Token,
  Validations,
} from 'aws-cdk-lib';
import type { IConnectable } from 'aws-cdk-lib/aws-ec2';
import { type OnEventOptions, type Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { CfnRotationSchedule, type ISecret, type Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct, type IDependable } from 'constructs';
import { usualStepSeconds } from '../../core/deployed/limits.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { DetailType } from '../../core/events/catalogue.ts';
import type { Assignment, Lead, SecretDefinition } from '../../core/secret/definition.ts';
import { stepSecondsOf } from '../../rotators/registry.ts';
import { scheduleSchema, usualSchedule } from '../config/expressions.ts';
import { type IRekeyBus, RekeyBus } from '../events/rekey-bus.ts';
import { wholeNumber } from '../foundation/whole-number.ts';
import { TargetFunction } from '../function/target-function.ts';
import type { ContainmentFunction } from '../revocation/containment-function.ts';
import { FirstRotations } from '../rotation/first-rotations.ts';
import type { ForeignRotationFunction } from '../rotation/foreign-rotation-function.ts';
import { RotationFunction } from '../rotation/rotation-function.ts';
import {
  abandonRotation,
  followRotation,
  invokeRotation,
  startRotation,
} from '../rotation/rotation-start.ts';
import { checkedDefinition, definitionText } from './definition-text.ts';
import { definitionParameterOf } from './known-name.ts';
import type { SecretIdentity } from './secret-access.ts';
import {
  type AdoptedSecret,
  adoptSecret,
  type CreatedSecret,
  createSecret,
  type Entry,
} from './secret-entry.ts';
import { firstPasswordUnknown, requirePair, validateSecret } from './secret-validation.ts';
import { requireSoleSchedule } from './sole-schedule.ts';

/** The admin secret: another secret of this app, or one that exists. */
export type AdminSecret = RotatedSecret | ISecret | Secret | AdoptedSecret;

/** Props of {@link RotatedSecret}. */
export interface RotatedSecretProps {
  /**
   * Secret that Rekey creates, or one that it adopts. It adopts any secret of the CDK, such as `cluster.secret`, or the name or
   * ARN of one that exists. The value, the policy and the tags of an adopted one stay as they are.
   */
  readonly secret: { readonly create: CreatedSecret } | { readonly adopt: ISecret | Secret | AdoptedSecret };
  /** Rotation function, which fixes the secret's type and strategy. */
  readonly rotation: RotationFunction | ForeignRotationFunction;
  /** Containment function of the same type and strategy: the one that a revocation calls to cut the credential off. */
  readonly containment: ContainmentFunction;
  /**
   * Login that may change the passwords of others. For a created secret it becomes `masterarn`, at its next rotation. A created
   * login of a database needs one for its first rotation, since no server knows the password that Secrets Manager generates.
   * @default - the secret's own login changes its own password
   */
  readonly adminSecret?: AdminSecret;
  /**
   * The user and the place that an adopted secret is for, where no version of it may log in.
   * @default - the admin acts only for a user as whom some version has logged in
   */
  readonly identity?: Assignment['fields'];
  /**
   * ARNs of what the functions may change, for types whose target is an AWS API.
   * @default - none
   */
  readonly resources?: readonly string[];
  /**
   * Database of the CDK that the login is for. It lets both functions in, at its own port, where they are in a network. Without it
   * no port is opened: `cluster.connections.allowDefaultPortFrom(rotation)` does the same.
   * @default - none
   */
  readonly database?: IConnectable;
  /** Team or person that answers for the secret. */
  readonly owner: string;
  /** Sentence that says what the secret is for. @default - none */
  readonly purpose?: string;
  /** Last day on which it works, as `2027-03-31`; a {@link SecretLifecycle} ends it. @default - it works for good */
  readonly expires?: string;
  /**
   * True to have a created secret carry its owner in the tag `rekey:owner`, by which roles with `byOwner` act. An adopted secret
   * keeps its tags.
   * @default false
   */
  readonly tagOwner?: boolean;
  /** Workloads that read the secret. @default - none */
  readonly consumers?: readonly string[];
  /**
   * Other secrets, by their names, and tasks for people: what whoever holds this one gets at. A revocation can follow it. The
   * secrets that name this one as their admin secret need no mention.
   * @default - nothing
   */
  readonly leadsTo?: readonly Lead[];
  /** Name of the network, for people. @default - none */
  readonly networkName?: string;
  /**
   * Times at which the secret rotates, in UTC. `Schedule.expression` takes what Secrets Manager alone understands.
   * @default Schedule.rate(Duration.days(30))
   * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
   */
  readonly schedule?: Schedule;
  /** Age at which a secret that has not rotated is overdue, in whole days. @default - none */
  readonly maximumAge?: Duration;
  /**
   * Rotates once, as soon as it is first deployed, and at no later change.
   * @default - true for a created secret, which holds nothing but a first password; false for an adopted one
   */
  readonly rotateOnDeploy?: boolean;
  /** Resources that must be there before the first rotation, such as the endpoints of its network. @default - none */
  readonly rotateAfter?: readonly IDependable[];
}

/** A database of the CDK with the secret that it was made with, such as a `DatabaseCluster` or a `DatabaseInstance`. */
export interface DatabaseWithSecret extends IConnectable {
  /** Secret of its first user. */
  readonly secret?: ISecret | undefined;
}

/** Props of {@link RotatedSecret.ofDatabase}. */
export interface DatabaseSecretProps extends Omit<RotatedSecretProps, 'secret'> {
  readonly database: DatabaseWithSecret;
}

/**
 * A secret that rotates on schedule and can be revoked. It holds the entry in Secrets Manager (created or adopted), its
 * schedule, its permissions for the two functions, and its definition. The revocation, the CLI and the observer of foreign
 * rotations read that; so does the rotation function of a created secret, and of an adopted one with an `identity`.
 *
 * @example
 * const orders = new RotatedSecret(this, 'Orders', {
 *   secret: { create: { name: '/prod/orders/db', fields: { engine: 'postgres', host, username: 'orders' }, encryptionKey } },
 *   adminSecret: { id: 'prod-database-admin' },
 *   rotation, containment, owner: 'team-orders',
 * });
 * orders.grantRead(ordersTask.taskRole);
 */
export class RotatedSecret extends Construct {
  /**
   * Adopts the secret of a database, and lets both functions reach it where they are in a network.
   *
   * @example
   * RotatedSecret.ofDatabase(this, 'Orders', { database: cluster, rotation, containment, owner: 'team-orders' });
   * @throws RekeyError `ConstructInvalid` when the database has no secret
   */
  static ofDatabase(scope: Construct, id: string, props: DatabaseSecretProps): RotatedSecret {
    const { secret } = props.database;
    if (secret === undefined) {
      throw new RekeyError(
        'ConstructInvalid',
        `${id}: the database has no secret of the CDK; make it with Credentials.fromGeneratedSecret, or adopt its secret by name`,
      );
    }
    return new RotatedSecret(scope, id, { ...props, secret: { adopt: secret } });
  }

  readonly secret: ISecret;
  /** The name in Secrets Manager. */
  readonly secretName: string;
  readonly identity: SecretIdentity;
  /** Team or person that answers for the secret. */
  readonly owner: string;
  readonly definition: StringParameter;
  /** True when the function that rotates it is not Rekey's, so that a {@link RotationObserver} must record it. */
  readonly foreign: boolean;
  /** True when Rekey created it with a name and a tag of its environment. */
  readonly inNamespace: boolean;
  /** True when its first rotation starts with the deploy. */
  readonly rotatesOnDeploy: boolean;
  private readonly rotation: RotationFunction | ForeignRotationFunction;
  /** Bus of its environment, that of its functions. */
  readonly bus: IRekeyBus;
  private readonly schedule: CfnRotationSchedule;
  private readonly firstRotation: CustomResource | undefined;

  constructor(scope: Construct, id: string, props: RotatedSecretProps) {
    super(scope, id);
    this.rotation = props.rotation;
    this.bus = props.containment.bus;
    this.owner = props.owner;
    const { environment } = this.bus;
    requirePair(id, props.rotation, props.containment);
    const rotation = props.rotation instanceof RotationFunction ? props.rotation : undefined;
    this.foreign = rotation === undefined;
    if (rotation !== undefined && rotation.bus !== this.bus) {
      throw new RekeyError(
        'ConstructInvalid',
        `${id}: its rotation function announces on the bus of ${rotation.bus.environment}, and its containment function on that of ${environment}; give both the same bus`,
      );
    }
    const admin = props.adminSecret === undefined ? undefined : resolveAdmin(this, props.adminSecret);
    const created = 'create' in props.secret;
    if (created && rotation === undefined) {
      throw new RekeyError(
        'ConstructInvalid',
        `${id}: a function that is not Rekey's does not write the fields of a secret that Rekey creates; store the secret first and adopt it`,
      );
    }
    const entry =
      'create' in props.secret
        ? createSecret(this, props.secret.create, {
            environment,
            owner: props.tagOwner === true ? props.owner : undefined,
          })
        : adoptSecret(this, 'Secret', props.secret.adopt);
    this.secret = entry.secret;
    this.secretName = entry.name;
    this.inNamespace = created && entry.name.startsWith(`/${environment}/`);
    this.identity = entry.identity;
    if (!this.inNamespace && !(this.bus instanceof RekeyBus)) {
      Annotations.of(this).addWarningV2(
        'rekey:not-replaced-by-revocation',
        `the environment ${environment} is of another app, and its revocation may replace only secrets named /${environment}/… that Rekey created; adopt ${entry.name} in the app of the environment, or create it here`,
      );
    }

    const functions = [props.rotation, props.containment].filter((each) => each instanceof TargetFunction);
    for (const each of functions.filter(({ function: { isBoundToVpc } }) => isBoundToVpc)) {
      props.database?.connections.allowDefaultPortFrom(each, 'Rekey');
    }
    for (const target of rotation === undefined ? [props.containment] : [rotation, props.containment]) {
      target.attachSecret(this.identity);
      // A foreign function has its own permissions, and nothing is contained where the target is unknown.
      if (admin !== undefined && rotation !== undefined) {
        target.attachAdminSecret(admin.identity);
      }
      target.attachResources(props.resources ?? []);
    }

    this.rotatesOnDeploy = props.rotateOnDeploy ?? created;
    const waits = props.rotateAfter !== undefined && props.rotateAfter.length > 0;
    if (created && this.rotatesOnDeploy && admin === undefined && !waits) {
      const unknown = firstPasswordUnknown(props.rotation.type);
      if (unknown !== undefined) Annotations.of(this).addWarningV2('rekey:first-password-unknown', unknown);
    }
    this.node.addValidation({
      validate: () =>
        validateSecret({
          type: props.rotation.type,
          strategy: props.rotation.strategy,
          name: entry.name,
          hasAdmin: admin !== undefined,
          identity: props.identity,
          resources: props.resources,
          create: 'create' in props.secret ? props.secret.create : undefined,
          rotatesOnDeploy: this.rotatesOnDeploy,
          rotationFunction: this.foreign ? this.rotationFunctionArn : undefined,
        }),
    });
    this.schedule = new CfnRotationSchedule(this, 'Schedule', {
      secretId: entry.scheduled,
      rotationLambdaArn: props.rotation.function.functionArn,
      rotationRules: { scheduleExpression: scheduleOf(id, props) },
      // A change of the schedule must leave the credential in use alone; the first rotation has a resource of its own.
      rotateImmediatelyOnUpdate: false,
    });
    requireSoleSchedule(this.schedule);
    if (created) {
      Validations.of(entry.secret).acknowledge({
        id: 'AwsSolutions::AwsSolutions-SMG4',
        reason: 'Its rotation schedule is there, and knows it by its name.',
      });
      this.schedule.node.addDependency(entry.secret);
    }
    // A replaced schedule is one of the same secret in another spelling: deleting the former would end the rotation of both.
    this.schedule.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    this.schedule.cfnOptions.deletionPolicy = CfnDeletionPolicy.DELETE;
    // Setting up the schedule has the function tested: by then it must hold its permissions and reach its target.
    this.rotateAfter(props.rotation, ...(props.rotateAfter ?? []));

    if (rotation?.strategy === 'dual-credential') {
      rotation.attachOverlap(this.secretName);
    }

    const parameterName = definitionParameterOf(environment, this.secretName);
    this.definition = new StringParameter(this, 'Definition', {
      parameterName,
      simpleName: false,
      description: `Rekey ${environment}: definition of the secret ${this.secretName}`,
      stringValue: definitionText(this, this.secretName, this.describe(props, admin?.arn)),
    });
    // One that was created once, and is adopted now, has the tag of the environment still: its function asks what to write.
    const asksForDefinition = created || props.identity !== undefined;
    if (asksForDefinition || this.secretName.startsWith(`/${environment}/`)) {
      rotation?.attachDefinition(parameterName, created ? this.identity : undefined);
    }
    if (created && rotation !== undefined) {
      // The first rotation finds the definition of the same deploy.
      this.rotateAfter(this.definition);
    }
    // Also where a created secret is not to rotate: once this resource is there, asking for it later changes nothing.
    this.firstRotation =
      created || this.rotatesOnDeploy
        ? FirstRotations.of(this, environment).rotate(this, {
            secretArn: this.secret.secretArn,
            identity: this.identity,
            rotationFunctionArn: this.rotationFunctionArn,
            rotatesOnDeploy: this.rotatesOnDeploy,
            schedule: this.schedule,
          })
        : undefined;
  }

  /** Has the schedule, and with it the first rotation, wait until others are there. */
  rotateAfter(...others: readonly IDependable[]): void {
    this.schedule.node.addDependency(...others);
  }

  /** Has the first rotation start after that of another secret has started. */
  rotateBehind(other: RotatedSecret): void {
    if (other.firstRotation !== undefined) {
      this.firstRotation?.node.addDependency(other.firstRotation);
    }
  }

  /** Lets a workload read the secret, and nothing else. */
  grantRead(grantee: IGrantable): Grant {
    return this.secret.grantRead(grantee);
  }

  /**
   * Lets somebody start a rotation and follow it, without reading the value or changing how the secret is rotated.
   */
  grantRotate(grantee: IGrantable): Grant {
    const { arnPattern } = this.identity;
    const grant = (actions: readonly string[], resource: string, conditions = {}) =>
      Grant.addToPrincipal({ grantee, actions: [...actions], resourceArns: [resource], conditions });
    return grant(startRotation.actions, arnPattern, startRotation.conditions)
      .combine(grant(followRotation.actions, arnPattern))
      .combine(grant(invokeRotation.actions, this.rotationFunctionArn));
  }

  /** ARN of the function that rotates the secret. */
  get rotationFunctionArn(): string {
    return this.rotation.function.functionArn;
  }

  /**
   * Lets somebody give up a rotation that hangs: take AWSPENDING off a version, and touch no other label.
   * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
   */
  grantAbandon(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: [...abandonRotation.actions],
      resourceArns: [this.identity.arnPattern],
      conditions: abandonRotation.conditions,
    });
  }

  /**
   * Runs a target when the new credential is current. An example is a redeploy of what reads it only at its start.
   *
   * @example
   * orders.onRotationSucceeded('Redeploy', { target: new LambdaFunction(redeploy) });
   */
  onRotationSucceeded(id: string, options: OnEventOptions = {}): Rule {
    return this.onEvent(id, ['Secret Rotation Succeeded'], options);
  }

  /** Runs a target when a step of a rotation fails. Secrets Manager tries again. */
  onRotationFailed(id: string, options: OnEventOptions = {}): Rule {
    return this.onEvent(id, ['Secret Rotation Failed'], options);
  }

  /** Runs a target when a revocation ends: it succeeded, failed, or could not be proven. */
  onRevocationEnded(id: string, options: OnEventOptions = {}): Rule {
    return this.onEvent(
      id,
      ['Secret Revocation Succeeded', 'Secret Revocation Failed', 'Secret Revocation Unproven'],
      options,
    );
  }

  private onEvent(id: string, detailTypes: readonly DetailType[], options: OnEventOptions): Rule {
    return this.bus.onEvent(this, id, {
      ...options,
      detailTypes,
      detail: { data: { secretName: [this.secretName] } },
    });
  }

  private describe(props: RotatedSecretProps, masterArn: string | undefined): SecretDefinition {
    const { id } = this.node;
    return checkedDefinition(id, {
      name: this.secretName,
      arn: this.secret.secretFullArn ?? this.secret.secretArn,
      type: props.rotation.type,
      strategy: props.rotation.strategy,
      owner: props.owner,
      ...(props.purpose !== undefined && { purpose: props.purpose }),
      consumers: [...(props.consumers ?? [])],
      ...(props.leadsTo !== undefined && props.leadsTo.length > 0 && { leadsTo: [...props.leadsTo] }),
      ...(props.expires !== undefined && { expires: props.expires }),
      ...(props.networkName !== undefined && { network: props.networkName }),
      schedule: scheduleOf(id, props),
      ...(props.maximumAge !== undefined && {
        maximumAgeDays: wholeNumber('days', props.maximumAge, { id, prop: 'maximumAge', atLeast: 1 }),
      }),
      rotationFunction: props.rotation.function.functionName,
      containmentFunction: props.containment.function.functionName,
      ...(stepSecondsOf(props.rotation.type) !== usualStepSeconds && {
        stepSeconds: stepSecondsOf(props.rotation.type),
      }),
      ...('create' in props.secret
        ? {
            content: {
              fields: { ...props.secret.create.fields },
              ...(masterArn !== undefined && { masterarn: masterArn }),
            },
          }
        : props.identity === undefined
          ? {}
          : {
              identity: {
                fields: props.identity,
                ...(masterArn !== undefined && { masterarn: masterArn }),
              },
            }),
      ...('adopt' in props.secret &&
        props.identity === undefined &&
        masterArn !== undefined && { adminSecret: masterArn }),
    });
  }
}

/** Returns the schedule as Secrets Manager takes it, by the rules of the configuration. */
function scheduleOf(
  id: string,
  { schedule = Schedule.expression(usualSchedule) }: RotatedSecretProps,
): string {
  const expression = schedule.expressionString;
  const problem = Token.isUnresolved(expression) ? undefined : scheduleSchema.safeParse(expression).error;
  if (problem !== undefined) {
    throw new RekeyError('ConstructInvalid', `${id}: schedule ${expression}: ${problem.issues[0]?.message}`);
  }
  return expression;
}

const resolveAdmin = (scope: Construct, admin: AdminSecret): Pick<Entry, 'arn' | 'identity'> =>
  admin instanceof RotatedSecret
    ? { arn: admin.secret.secretArn, identity: admin.identity }
    : adoptSecret(scope, 'AdminSecret', admin);
