import { CrossStackReferences, ReferenceStrength, type StackProps, Tags } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { environmentTag } from '../core/deployed/names.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { AccessStack, type WatchedPart } from './access/access-stack.ts';
import { AuditStack } from './audit/audit-stack.ts';
import { apisOf } from './config/networks.ts';
import type { Configuration, EnvironmentConfiguration } from './config/schema.ts';
import { assignShards, rotationStackPart, type ShardAssignment } from './config/shards/assignment.ts';
import { demandsOf } from './config/shards/capacity.ts';
import { hasSignals } from './config/signals.ts';
import { EventsStack } from './events/events-stack.ts';
import { FingerprintStack } from './fingerprint/fingerprint-stack.ts';
import { FoundationStack } from './foundation/foundation-stack.ts';
import { Network } from './network/network.ts';
import { isMade, NetworkStack, networkPart } from './network/network-stack.ts';
import { NotificationStack } from './notification/notification-stack.ts';
import { holdToPolicy } from './policy/hold-to-policy.ts';
import { RevocationStack } from './revocation/revocation-stack.ts';
import { RotationFunction } from './rotation/rotation-function.ts';
import { RotationStack } from './rotation/rotation-stack.ts';
import { SignalStack } from './signal/signal-stack.ts';
import { TrailStack } from './trail/trail-stack.ts';

/** Props of {@link RekeyEnvironment}. */
export interface RekeyEnvironmentProps {
  readonly configuration: EnvironmentConfiguration;
  /**
   * Configuration that the environment is part of, under the construct's id. Its policy counts, and so do its other environments
   * where a rule compares them.
   * @default - the environment alone
   */
  readonly within?: Configuration;
  /** Folder that file names in the configuration are relative to. */
  readonly directory: string;
  /**
   * Number of the rotation stack that each secret is in, as the last deployment had it. New secrets find their place.
   * `recordedShards` reads it from a file and keeps it there.
   * @default - all are in one, which must be enough for them
   */
  readonly shards?: ShardAssignment;
}

/**
 * The stacks of one environment, one per lifetime, named `rekey-<environment>-<part>`. The construct's id is the environment's
 * name.
 */
export class RekeyEnvironment extends Construct {
  readonly events: EventsStack;
  readonly audit: AuditStack;
  readonly foundation: FoundationStack;
  /** Stacks that each hold a share of the secrets; there is always one. */
  readonly rotations: readonly RotationStack[];
  readonly revocation: RevocationStack;
  /** Stack of the fingerprints; missing where the configuration asks for none. */
  readonly fingerprints: FingerprintStack | undefined;
  /** The notifier; missing where the configuration names no channels. */
  readonly notification: NotificationStack | undefined;
  /** Stack of the function that reads the trail; missing where the configuration has none. */
  readonly trail: TrailStack | undefined;
  /** Stack of the signals; missing where the configuration names neither senders nor honey secrets. */
  readonly signals: SignalStack | undefined;
  /** Roles of people and pipelines. The stack stays even when it has none, so that a deploy takes roles away. */
  readonly access: AccessStack;

  constructor(scope: Construct, environment: string, props: RekeyEnvironmentProps) {
    super(scope, environment);
    // A stack reads what another one tells when it is deployed, and does not hold on to it: CloudFormation lets no stack
    // drop or change what a deployed stack imports, so with imports a secret could neither be removed nor get another
    // function. Since a stack whose template is as it was is not deployed again, what is read must keep its value under
    // its name: resources that would be replaced have ids of their identity.
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html
    CrossStackReferences.of(this).consume(ReferenceStrength.WEAK);
    const { configuration, directory, within } = props;
    holdToPolicy(this, environment, {
      form: 1,
      ...within,
      environments: { ...within?.environments, [environment]: configuration },
    });
    const { account, region } = configuration;
    const settings = (part: string, what: string) =>
      ({
        environment,
        configuration,
        stackName: `rekey-${environment}-${part}`,
        description: `Rekey ${environment}: ${what}`,
        env: { ...(account !== undefined && { account }), ...(region !== undefined && { region }) },
      }) satisfies StackProps & Record<string, unknown>;

    this.events = new EventsStack(this, 'Events', settings('events', 'event bus and alarm topic'));
    const { bus, topic } = this.events;
    this.audit = new AuditStack(this, 'Audit', { ...settings('audit', 'audit log'), bus, topic });
    const { auditLog } = this.audit;
    const shared = { bus, topic, auditQueue: auditLog.queue };
    this.foundation = new FoundationStack(this, 'Foundation', {
      ...settings('foundation', 'the key of the secrets'),
      ...shared,
    });
    const { trail } = this.audit;
    this.trail =
      configuration.trail === undefined
        ? undefined
        : new TrailStack(this, 'Trail', {
            ...settings('trail', 'who really asked, by CloudTrail'),
            ...shared,
            ...(trail !== undefined && { trail }),
          });
    const networks = new Map(
      Object.entries(configuration.networks).map(([name, network]) => {
        const part = networkPart(name, network);
        const props = {
          name: `rekey-${environment}-${name}`,
          network,
          apis: apisOf(name, configuration.secrets),
        };
        return [
          name,
          isMade(network)
            ? new NetworkStack(this, `Network-${part}`, {
                ...settings(`network-${part}`, `network ${name}`),
                ...props,
                part,
              }).network
            : new Network(this.foundation, `Network-${part}`, props),
        ];
      }),
    );
    const assignment = assignShards(demandsOf(environment, configuration), {
      environment,
      recorded: props.shards,
    });
    this.rotations = Array.from({ length: assignment.stacks }, (_, shard) => {
      const part = rotationStackPart(shard);
      return new RotationStack(this, shard === 0 ? 'Rotation' : `Rotation-${shard}`, {
        ...settings(part, 'functions and secrets'),
        ...shared,
        foundation: this.foundation,
        networks,
        directory,
        shard,
        members: new Set(
          Object.keys(assignment.secrets).filter((name) => assignment.secrets[name] === shard),
        ),
      });
    });
    // One after the other, so that their first rotations do not start together.
    this.rotations.forEach((stack, index) => {
      stack.addStackDependency(this.rotations[index - 1] ?? this.foundation);
    });
    const secrets = this.rotations.flatMap((stack) => [...stack.secrets.values()]);
    const functions = this.rotations.flatMap((stack) => stack.functions);
    // Foreign rotation functions share one.
    const containment = new Set(functions.map((pair) => pair.containment));
    const own = functions.flatMap(({ rotation }) =>
      rotation instanceof RotationFunction ? [rotation.function] : [],
    );
    this.revocation = new RevocationStack(this, 'Revocation', {
      ...settings('revocation', 'revocation workflow'),
      bus,
      topic,
      auditQueue: auditLog.queue,
      secrets,
      ...(this.trail !== undefined && { attribution: this.trail.attribution }),
    });
    this.revocation.addStackDependency(this.rotations.at(-1) ?? this.foundation);
    const { workflow } = this.revocation;
    this.fingerprints = configuration.fingerprints
      ? new FingerprintStack(this, 'Fingerprints', {
          ...settings('fingerprints', 'fingerprints of secrets'),
          ...shared,
          secrets,
          secretsKey: this.foundation.secretsKey as IKey,
        })
      : undefined;
    this.fingerprints?.addStackDependency(this.rotations.at(-1) ?? this.foundation);
    const fingerprintLookup = this.fingerprints?.fingerprints.lookup;
    this.notification =
      Object.keys(configuration.notifications.channels).length === 0
        ? undefined
        : new NotificationStack(this, 'Notification', {
            ...settings('notification', 'tells people of what happens'),
            bus,
            topic,
            directory,
          });
    this.signals = hasSignals(configuration)
      ? new SignalStack(this, 'Signals', {
          ...settings('signals', 'signals about leaked credentials, from outside'),
          ...shared,
          ...(fingerprintLookup !== undefined && { fingerprintLookup }),
        })
      : undefined;
    this.signals?.addStackDependency(this.revocation);
    this.access = new AccessStack(this, 'Access', {
      ...settings('access', 'roles of operators, responders and auditors'),
      bus,
      auditLog,
      secrets,
      functions: [
        ...functions.map(({ rotation }) => rotation.function),
        ...[...containment].map((target) => target.function),
      ],
      queues: [auditLog.queue, auditLog.deadLetterQueue, auditLog.undeliveredQueue, workflow.deadLetterQueue],
      workflow: workflow.stateMachine,
      plans: workflow.plans,
      rotationLogs: own.map(({ logGroup }) => logGroup),
      intakeLogs: workflow.intake.logGroup,
      parts: this.watchedParts(),
      ...(fingerprintLookup !== undefined && { fingerprintLookup }),
      ...(this.revocation.approvals !== undefined && { approvals: this.revocation.approvals }),
      ...(this.revocation.quarantine !== undefined && { quarantine: this.revocation.quarantine }),
    });
    const { responder } = this.access;
    if (responder !== undefined) {
      this.revocation.approvals?.grantRequest(responder.role, responder.grantee);
    }
    requireReservable(this, environment, configuration.reservedConcurrency.quota);
    // Every role and resource says to which environment it belongs; the policies of the secrets go by it.
    Tags.of(this).add(environmentTag, environment);
  }

  /** Lists the parts that only some environments have, with their functions. */
  private watchedParts(): Record<string, WatchedPart> {
    const { approvals, lifecycle, quarantine } = this.revocation;
    const { fingerprints } = this.fingerprints ?? {};
    const { notifier } = this.notification ?? {};
    const { attribution } = this.trail ?? {};
    return {
      ...(attribution !== undefined && {
        attribution: { functions: [attribution.function], deadLetters: attribution.deadLetterQueue },
      }),
      ...(approvals !== undefined && { approvals: { functions: approvals.functions } }),
      ...(lifecycle !== undefined && { 'life of secrets': { functions: [lifecycle.function] } }),
      ...(quarantine !== undefined && {
        quarantine: { functions: [quarantine.function], deadLetters: quarantine.deadLetterQueue },
      }),
      ...(fingerprints !== undefined && {
        fingerprints: { functions: [fingerprints.lookup, fingerprints.index] },
      }),
      ...(notifier !== undefined && {
        notifier: { functions: [notifier.function], deadLetters: notifier.deadLetterQueue },
      }),
    };
  }
}

/** Executions that AWS keeps for all functions of an account that reserve none. */
const keptUnreserved = 100;

/**
 * Refuses at synth what Lambda would refuse in the middle of a deploy.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 */
function requireReservable(scope: Construct, environment: string, quota: number): void {
  const reserving = scope.node
    .findAll()
    .filter((construct): construct is CfnFunction => construct instanceof CfnFunction)
    .flatMap(({ reservedConcurrentExecutions: reserved }) => (reserved === undefined ? [] : [reserved]));
  const sum = reserving.reduce((total, reserved) => total + reserved, 0);
  if (sum > Math.max(0, quota - keptUnreserved)) {
    throw new RekeyError(
      'ConstructInvalid',
      `environments.${environment}.reservedConcurrency: ${reserving.length} functions would reserve ${sum} executions, and of a quota of ` +
        `${quota} only ${Math.max(0, quota - keptUnreserved)} can be reserved, since AWS keeps ${keptUnreserved} for all others; ` +
        'reserve less, or have the quota raised and state it in reservedConcurrency.quota',
    );
  }
}
