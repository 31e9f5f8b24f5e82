import { resolve } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { usualStepSeconds } from '../../core/deployed/limits.ts';
import { services } from '../../core/deployed/names.ts';
import { type RotatedType, stepSecondsOf } from '../../rotators/registry.ts';
import { type FunctionKey, functionId, functionKeyOf } from '../config/function-key.ts';
import { passwordEnvironment, passwordsOf } from '../config/passwords.ts';
import type { EnvironmentConfiguration, SecretConfiguration } from '../config/schema.ts';
import { identityOf } from '../config/shards/identity.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import type { Network } from '../network/network.ts';
import { FunctionAlarms } from '../observation/function-alarms.ts';
import { ContainmentFunction } from '../revocation/containment-function.ts';
import { ForeignRotationFunction } from './foreign-rotation-function.ts';
import { RotationFunction } from './rotation-function.ts';

/** Props of {@link FunctionPairs}. */
export interface FunctionPairsProps {
  readonly environment: string;
  readonly configuration: EnvironmentConfiguration;
  readonly bus: IRekeyBus;
  readonly auditQueue: IQueue;
  readonly topic: ITopic;
  readonly networks: ReadonlyMap<string, Network>;
  /** Folder that file names in the configuration are relative to. */
  readonly directory: string;
  /** Number of the stack among the rotation stacks, which tells alarms of equal functions apart. */
  readonly shard: number;
}

/** The two functions that act for a secret. */
export interface FunctionPair {
  readonly rotation: RotationFunction | ForeignRotationFunction;
  readonly containment: ContainmentFunction;
}

/** Builds the functions of a stack's secrets, one pair for all that have the same {@link FunctionKey}. */
export class FunctionPairs {
  private readonly scope: Construct;
  private readonly settings: FunctionPairsProps;
  private readonly rotations = new Map<string, RotationFunction>();
  private readonly foreignRotations = new Map<string, ForeignRotationFunction>();
  private readonly containments = new Map<string, ContainmentFunction>();
  private readonly pairs = new Map<string, FunctionPair>();

  constructor(scope: Construct, settings: FunctionPairsProps) {
    this.scope = scope;
    this.settings = settings;
  }

  /** Every pair that was asked for. */
  get all(): readonly FunctionPair[] {
    return [...this.pairs.values()];
  }

  /** Finds or builds the functions of a secret. */
  of(secret: SecretConfiguration): FunctionPair {
    const { environment, configuration } = this.settings;
    const key = functionKeyOf(secret, environment, configuration);
    const rotation =
      secret.rotationFunction === undefined
        ? this.rotation(secret.type, key)
        : this.foreign(secret.rotationFunction, key);
    // Containing generates no password.
    const containment = this.containment({ ...key, passwords: undefined });
    const id = `${rotation.node.id} ${containment.node.id}`;
    const pair = this.pairs.get(id) ?? { rotation, containment };
    this.pairs.set(id, pair);
    return pair;
  }

  private foreign(functionArn: string, { type, strategy }: FunctionKey) {
    return findOrBuild(
      this.foreignRotations,
      `Rotation-${type}-${strategy}-${identityOf(functionArn)}`,
      (id) => new ForeignRotationFunction(this.scope, id, { functionArn, strategy }),
    );
  }

  private rotation(type: RotatedType, key: FunctionKey) {
    const name = functionId(key);
    return findOrBuild(this.rotations, `Rotation-${name}`, (id) => {
      const { passwords, rotation: settings } = this.settings.configuration;
      const rotation = new RotationFunction(this.scope, id, {
        ...this.shared(key),
        type,
        passwordEnvironment: passwordEnvironment(passwordsOf({ passwords }, key)),
        overlap: Duration.hours(settings.overlapHours),
        grace: Duration.hours(settings.graceHours),
        brakeAfter: settings.brakeAfter,
      });
      new FunctionAlarms(this.scope, `RotationAlarms-${name}`, {
        environment: this.settings.environment,
        function: rotation.function,
        service: services.rotation,
        runbook: 'rotation-function-errors',
        instance: this.instance(name),
        ...errorsOf(rotation),
        topic: this.settings.topic,
      });
      return rotation;
    });
  }

  private containment(key: FunctionKey): ContainmentFunction {
    const name = functionId(key);
    return findOrBuild(this.containments, `Containment-${name}`, (id) => {
      const { containment: reserved } = this.settings.configuration.reservedConcurrency;
      const containment = new ContainmentFunction(this.scope, id, {
        ...this.shared(key),
        ...(reserved !== undefined && { reservedConcurrency: reserved }),
      });
      new FunctionAlarms(this.scope, `ContainmentAlarms-${name}`, {
        environment: this.settings.environment,
        function: containment.function,
        service: services.containment,
        runbook: 'containment-function-errors',
        instance: this.instance(name),
        topic: this.settings.topic,
      });
      if (containment.sessionCutoff !== undefined) {
        new FunctionAlarms(this.scope, `SessionCutoffAlarms-${name}`, {
          environment: this.settings.environment,
          function: containment.sessionCutoff.function,
          service: services.sessionCutoff,
          runbook: 'containment-function-errors',
          instance: `sessions-${this.instance(name)}`,
          topic: this.settings.topic,
        });
      }
      return containment;
    });
  }

  private instance(name: string): string {
    const { shard } = this.settings;
    return shard === 0 ? name : `${name}-${shard}`;
  }

  private shared({ type, strategy, network, trust }: FunctionKey) {
    const { bus, auditQueue, networks, directory } = this.settings;
    const attachment = network === undefined ? undefined : networks.get(network)?.attachment;
    return {
      type,
      strategy,
      bus,
      auditQueue,
      allowPlaintext: trust.plaintext,
      allowPrivateAddresses: trust.privateAddresses,
      ...(attachment !== undefined && { network: attachment }),
      ...(trust.certificateAuthority !== undefined && {
        certificateAuthority: resolve(directory, trust.certificateAuthority),
      }),
    };
  }
}

/**
 * Chooses how many errors of a rotation function raise the alarm. Usually each counts at once. Where a target may take longer
 * to set a password than a step can wait, a step that failed for that is tried again, and only the second within an hour
 * counts.
 */
function errorsOf({ type }: RotationFunction) {
  return stepSecondsOf(type) === usualStepSeconds
    ? {}
    : { errors: { atLeast: 2, within: Duration.hours(1) } };
}

function findOrBuild<Built>(known: Map<string, Built>, id: string, build: (id: string) => Built): Built {
  const built = known.get(id) ?? build(id);
  known.set(id, built);
  return built;
}
