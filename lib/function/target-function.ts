import { basename } from 'node:path';
import { Duration, Validations } from 'aws-cdk-lib';
import type { Connections, IConnectable } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { services } from '../../core/deployed/names.ts';
import type {
  containmentEnvironmentSchema,
  FunctionEnvironment,
  rotationEnvironmentSchema,
} from '../../core/deployed/variables.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { DetailType } from '../../core/events/catalogue.ts';
import type { Strategy } from '../../core/secret/secret.ts';
import type { AwsAccess, SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry, type SecretType, stepSecondsOf } from '../../rotators/registry.ts';
import { type PagedStatement, PolicyPages, sizedArn } from '../access/policy-pages.ts';
import { grantAppend } from '../audit/grant-append.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { SecretAccess, type SecretIdentity } from '../secret/secret-access.ts';
import { functionFor } from './bundle.ts';
import { markService } from './grant-by-tag.ts';
import { type NetworkAttachment, StandardFunction } from './standard-function.ts';

/** Props of {@link RotationFunction} and {@link ContainmentFunction}. */
export interface TargetFunctionProps {
  readonly type: SecretType;
  readonly strategy: Strategy;
  /** Bus of the environment. */
  readonly bus: IRekeyBus;
  /** Queue of the audit log; records go here when the bus does not take them. */
  readonly auditQueue: IQueue;
  /**
   * Network in which the function meets its target.
   * @default - not attached to a VPC; the target must be reachable from the internet
   */
  readonly network?: NetworkAttachment;
  /**
   * Permits plaintext where a secret leaves `ssl` out and the server offers no TLS. Each use raises a finding.
   * @default false
   */
  readonly allowPlaintext?: boolean;
  /**
   * Permits HTTP APIs on private, loopback and link-local addresses.
   * @default false
   */
  readonly allowPrivateAddresses?: boolean;
  /**
   * Absolute path of a PEM file with the authorities of the target's certificate.
   * @default - the public authorities and those of Amazon RDS
   */
  readonly certificateAuthority?: string;
  /** Time for which logs are kept. @default RetentionDays.ONE_YEAR */
  readonly logRetention?: RetentionDays;
  /** Executions that Lambda keeps free for the function. @default - it shares the account's unreserved concurrency */
  readonly reservedConcurrency?: number;
}

type TargetSchema = typeof rotationEnvironmentSchema | typeof containmentEnvironmentSchema;

/** The settings in which the function that rotates and the one that contains differ. */
export interface TargetFunctionKind<Schema extends TargetSchema> {
  readonly service: (typeof services)['rotation' | 'containment'];
  readonly environmentSchema: Schema;
  /** Values for the schema; {@link targetEnvironment} gives what both kinds need. */
  readonly environment: FunctionEnvironment<Schema>;
  readonly description: string;
  /** Events that it may announce, and no others. */
  readonly announces: readonly DetailType[];
  readonly secretActions: readonly string[];
  readonly keyActions: readonly string[];
  /** Password rules, which are outside the schema. @default - none */
  readonly extraEnvironment?: Readonly<Record<string, string>>;
}

/** Gives the variables of both kinds of functions. */
export const targetEnvironment = (
  props: TargetFunctionProps,
): Omit<FunctionEnvironment<typeof containmentEnvironmentSchema>, 'REKEY_SESSION_CUTOFF_FUNCTION'> => ({
  REKEY_ENVIRONMENT: props.bus.environment,
  REKEY_EVENT_BUS: props.bus.eventBus.eventBusName,
  REKEY_AUDIT_QUEUE_URL: props.auditQueue.queueUrl,
  REKEY_STRATEGY: props.strategy,
  REKEY_ALLOW_PLAINTEXT: String(props.allowPlaintext ?? false),
  REKEY_ALLOW_PRIVATE_ADDRESSES: String(props.allowPrivateAddresses ?? false),
  ...(props.certificateAuthority !== undefined && { REKEY_CA_FILE: basename(props.certificateAuthority) }),
});

/** The common part of the functions that log in to targets of one type, with one strategy, in one network. */
export abstract class TargetFunction<Schema extends TargetSchema = TargetSchema>
  extends Construct
  implements IConnectable
{
  readonly function: StandardFunction<Schema>;
  readonly type: SecretType;
  readonly strategy: Strategy;
  /** Bus on which it announces what it did. */
  readonly bus: IRekeyBus;
  /** The role's statements that grow with the secrets. */
  protected readonly pages: PolicyPages;
  private readonly secrets: SecretAccess;
  private readonly admins: SecretAccess;
  private readonly resourceStatements: readonly PagedStatement[];

  constructor(scope: Construct, id: string, props: TargetFunctionProps, kind: TargetFunctionKind<Schema>) {
    super(scope, id);
    const { type, strategy } = props;
    const entry: SecretTypeDescriptor = registry[type];
    if (!entry.strategies.includes(strategy)) {
      throw new RekeyError(
        'ConstructInvalid',
        `${id}: ${type} supports ${entry.strategies.join(', ')}, not ${strategy}`,
      );
    }
    this.type = type;
    this.strategy = strategy;
    this.bus = props.bus;
    this.function = new StandardFunction(this, 'Function', {
      entry: functionFor(type, kind.service),
      service: kind.service,
      description: kind.description,
      environmentSchema: kind.environmentSchema,
      environment: kind.environment,
      ...(kind.extraEnvironment !== undefined && { extraEnvironment: kind.extraEnvironment }),
      ...(props.certificateAuthority !== undefined && { files: [props.certificateAuthority] }),
      ...(props.network !== undefined && { network: props.network }),
      ...(props.logRetention !== undefined && { logRetention: props.logRetention }),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrency: props.reservedConcurrency }),
      // The targets' connect and statement timeouts add up to less; see `lambdas/functions/target.ts`.
      timeout: Duration.seconds(stepSecondsOf(type)),
    });
    markService(this.function, props.bus.environment, kind.service);
    const { role } = this.function;
    this.pages = new PolicyPages(role);
    this.secrets = new SecretAccess(role, {
      pages: this.pages,
      sid: 'Secrets',
      actions: kind.secretActions,
      keyActions: kind.keyActions,
    });
    this.admins = new SecretAccess(role, {
      pages: this.pages,
      sid: 'AdminSecrets',
      // An admin secret that RDS manages holds no host; its tags name the database.
      actions: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      keyActions: ['kms:Decrypt'],
    });
    props.bus.grantPublish(role, `rekey.${kind.service}`, kind.announces);
    grantAppend(role, props.auditQueue);
    if (entry.database) {
      permitDatabaseLookup(role);
    }
    const { aws } = entry;
    this.resourceStatements =
      aws === undefined
        ? []
        : [
            { sid: 'Targets', actions: aws[kind.service] },
            ...(aws.tags === undefined || kind.service !== 'rotation' ? [] : [tagsOf(aws.tags)]),
          ];
    if (entry.aws?.anyResource !== undefined) {
      permitAnyResource(role, entry.aws.anyResource);
    }
  }

  /** Lets the function work on a secret; done by {@link RotatedSecret}. */
  attachSecret(secret: SecretIdentity): void {
    this.secrets.add(secret);
  }

  /** Lets the function change what it reaches through an AWS API, by ARN; done by {@link RotatedSecret}. */
  attachResources(arns: readonly string[]): void {
    for (const statement of this.resourceStatements) {
      for (const arn of arns) {
        this.pages.add(statement, sizedArn(arn));
      }
    }
  }

  /**
   * Gives the security groups by which its target lets it in: `cluster.connections.allowDefaultPortFrom(rotation)`.
   * @throws RekeyError `ConstructInvalid` when the function is in no network
   */
  get connections(): Connections {
    if (!this.function.isBoundToVpc) {
      throw new RekeyError(
        'ConstructInvalid',
        `${this.node.path}: it is in no network, and so has no security groups; give it network: { vpc }`,
      );
    }
    return this.function.connections;
  }

  /** Lets the function read an admin secret, the one in `masterarn`; done by {@link RotatedSecret}. */
  attachAdminSecret(secret: SecretIdentity): void {
    this.admins.add(secret);
  }
}

/**
 * Tags may decide about permissions, so only the keys that the type needs may be set or removed.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html#access_tags_control-tag-keys
 */
const tagsOf = ({ actions, keys }: NonNullable<AwsAccess['tags']>): PagedStatement => ({
  sid: 'TargetTags',
  actions,
  conditions: {
    'ForAllValues:StringLike': { 'aws:TagKeys': [keys] },
    Null: { 'aws:TagKeys': 'false' },
  },
});

/** Actions that IAM knows no resource for. */
function permitAnyResource(
  role: Role,
  { actions, reason }: { readonly actions: readonly string[]; readonly reason: string },
): void {
  role.addToPolicy(new PolicyStatement({ sid: 'FindTargets', actions: [...actions], resources: ['*'] }));
  Validations.of(role).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason });
}

/**
 * Lets a role look databases up. Admin secrets that RDS manages hold no host, and those of read replicas name the primary: RDS
 * knows both.
 */
function permitDatabaseLookup(role: Role): void {
  role.addToPolicy(
    new PolicyStatement({
      sid: 'FindDatabases',
      actions: ['rds:DescribeDBInstances', 'rds:DescribeDBClusters', 'rds:DescribeDBClusterEndpoints'],
      resources: ['*'],
    }),
  );
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'A host name is looked up among all databases; the describe actions of RDS list them and read no data.',
  });
}
