import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { metrics, services } from '../../core/names.ts';
import { isRotated, registry, type SecretTypeEntry } from '../../rotators/registry.ts';
import { passwordEnvironment } from '../config/passwords.ts';
import { secretName } from '../config/rules.ts';
import type { SecretConfiguration } from '../config/schema.ts';
import { ContainmentFunction } from '../constructs/containment-function.ts';
import { ForeignRotationFunction } from '../constructs/foreign-rotation-function.ts';
import { Network } from '../constructs/network.ts';
import type { RekeyBus } from '../constructs/rekey-bus.ts';
import { type AdminSecret, RotatedSecret } from '../constructs/rotated-secret.ts';
import { RotationFunction } from '../constructs/rotation-function.ts';
import { RotationObserver } from '../constructs/rotation-observer.ts';
import { RunbookAlarm, rekeyMetric } from '../constructs/runbook-alarm.ts';
import type { EnvironmentStackProps } from './events-stack.ts';

/** Props of {@link RotationStack}. */
export interface RotationStackProps extends EnvironmentStackProps {
  readonly bus: RekeyBus;
  readonly auditQueue: IQueue;
  readonly topic: ITopic;
  /** Folder that file names in the configuration are relative to. */
  readonly directory: string;
}

/** The functions that secrets of one type, strategy, network and trust share. */
interface FunctionPair {
  readonly rotation: RotationFunction | ForeignRotationFunction;
  readonly containment: ContainmentFunction;
}

/** Networks, the functions that reach the targets, and the secrets. */
export class RotationStack extends Stack {
  /** The environment's secrets by their key in the configuration. */
  readonly secrets: ReadonlyMap<string, RotatedSecret>;
  readonly functions: readonly FunctionPair[];
  /** Missing where every rotation function is Rekey's own. */
  readonly observer: RotationObserver | undefined;
  private readonly pairs = new Map<string, FunctionPair>();
  private readonly networks: ReadonlyMap<string, Network>;
  private readonly settings: RotationStackProps;

  constructor(scope: Construct, id: string, props: RotationStackProps) {
    super(scope, id, props);
    this.settings = props;
    const { environment, configuration } = props;
    this.networks = new Map(
      Object.entries(configuration.networks).map(([name, network]) => [
        name,
        new Network(this, `Network-${name}`, { name: `rekey-${environment}-${name}`, network }),
      ]),
    );
    const key = new Key(this, 'SecretsKey', {
      description: `Rekey ${environment}: secrets`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.secrets = this.buildSecrets(key);
    this.functions = [...this.pairs.values()];
    this.buildAlarms();
    const foreign = [...this.secrets.values()].filter((secret) => secret.foreign);
    this.observer =
      foreign.length === 0
        ? undefined
        : new RotationObserver(this, 'Observer', {
            environment,
            bus: props.bus,
            auditQueue: props.auditQueue,
            secrets: foreign,
            alarmTopic: props.topic,
          });
  }

  /** Admin secrets first, because the secrets that they administer name them. */
  private buildSecrets(key: Key): ReadonlyMap<string, RotatedSecret> {
    const { secrets } = this.settings.configuration;
    const built = new Map<string, RotatedSecret>();
    const build = (name: string, secret: SecretConfiguration): RotatedSecret => {
      const known = built.get(name);
      if (known !== undefined) {
        return known;
      }
      const result = this.buildSecret(name, secret, key, this.admin(secret, build));
      built.set(name, result);
      return result;
    };
    for (const [name, secret] of Object.entries(secrets)) {
      build(name, secret);
    }
    return built;
  }

  private admin(
    { adminSecret }: SecretConfiguration,
    build: (name: string, secret: SecretConfiguration) => RotatedSecret,
  ): AdminSecret | undefined {
    if (adminSecret === undefined) {
      return undefined;
    }
    if ('secret' in adminSecret) {
      const secret = this.settings.configuration.secrets[adminSecret.secret];
      return secret === undefined ? undefined : build(adminSecret.secret, secret);
    }
    return {
      id: adminSecret.adopt,
      ...(adminSecret.encryptionKey === undefined ? {} : { encryptionKeyArn: adminSecret.encryptionKey }),
    };
  }

  private buildSecret(
    name: string,
    secret: SecretConfiguration,
    key: Key,
    admin: AdminSecret | undefined,
  ): RotatedSecret {
    const { environment, configuration } = this.settings;
    const network = secret.network === undefined ? undefined : this.networks.get(secret.network);
    return new RotatedSecret(this, `Secret-${name}`, {
      environment,
      secret:
        secret.create === undefined
          ? {
              adopt: {
                id: secret.adopt ?? '',
                ...(secret.encryptionKey === undefined ? {} : { encryptionKeyArn: secret.encryptionKey }),
              },
            }
          : {
              create: {
                name: secretName(environment, secret),
                fields: secret.create.fields,
                encryptionKey: key,
                passwordEnvironment: passwordEnvironment(configuration.passwords),
              },
            },
      ...this.pair(secret),
      ...(admin === undefined ? {} : { adminSecret: admin }),
      resources: secret.resources,
      owner: secret.owner,
      consumers: secret.consumers,
      ...(secret.network === undefined ? {} : { networkName: secret.network }),
      schedule: secret.schedule ?? configuration.rotation.schedule,
      maximumAgeDays: secret.maximumAgeDays ?? configuration.rotation.maximumAgeDays,
      ...(secret.rotateOnDeploy === undefined ? {} : { rotateOnDeploy: secret.rotateOnDeploy }),
      rotateAfter: network?.ready ?? [],
    });
  }

  private pair(secret: SecretConfiguration): FunctionPair {
    const { environment, configuration, bus, auditQueue, directory } = this.settings;
    const { type, strategy, network, allowPlaintext, allowPrivateAddresses, certificateAuthority } = secret;
    if (!isRotated(type)) {
      return this.foreignPair(secret);
    }
    const plaintext = allowPlaintext ? 'plaintext' : undefined;
    const addresses = allowPrivateAddresses ? 'private' : undefined;
    const authority = certificateAuthority === undefined ? undefined : authorityId(certificateAuthority);
    const apart = apartId(secret);
    const id = [type, strategy, network, plaintext, addresses, authority, apart]
      .filter((part) => part !== undefined)
      .join('-');
    const known = this.pairs.get(id);
    if (known !== undefined) {
      return known;
    }
    const attachment = network === undefined ? undefined : this.networks.get(network)?.attachment;
    const shared = {
      environment,
      type,
      strategy,
      bus,
      auditQueue,
      allowPlaintext,
      allowPrivateAddresses,
      ...(attachment === undefined ? {} : { network: attachment }),
      ...(certificateAuthority === undefined
        ? {}
        : { certificateAuthority: resolve(directory, certificateAuthority) }),
    };
    const pair = {
      rotation: new RotationFunction(this, `Rotation-${id}`, {
        ...shared,
        passwordEnvironment: passwordEnvironment(configuration.passwords),
        overlap: Duration.hours(configuration.rotation.overlapHours),
        grace: Duration.hours(configuration.rotation.graceHours),
      }),
      containment: new ContainmentFunction(this, `Containment-${id}`, shared),
    };
    this.pairs.set(id, pair);
    const { topic } = this.settings;
    new RunbookAlarm(this, `RotationErrors-${id}`, {
      environment,
      runbook: 'rotation-function-errors',
      instance: id,
      metric: pair.rotation.function.metricErrors(),
      topic,
    });
    new RunbookAlarm(this, `ContainmentErrors-${id}`, {
      environment,
      runbook: 'containment-function-errors',
      instance: id,
      metric: pair.containment.function.metricErrors(),
      topic,
    });
    return pair;
  }

  /** One function that contains for all foreign ones of a strategy; it only reads their secrets. */
  private foreignPair({ type, strategy, rotationFunction = '' }: SecretConfiguration): FunctionPair {
    const { environment, bus, auditQueue, topic } = this.settings;
    const kind = `${type}-${strategy}`;
    const id = `${kind}-${shortHash(rotationFunction)}`;
    const known = this.pairs.get(id);
    if (known !== undefined) {
      return known;
    }
    const sibling = [...this.pairs.values()].find(
      ({ containment }) => containment.type === type && containment.strategy === strategy,
    );
    const containment =
      sibling?.containment ??
      new ContainmentFunction(this, `Containment-${kind}`, { environment, type, strategy, bus, auditQueue });
    if (sibling === undefined) {
      new RunbookAlarm(this, `ContainmentErrors-${kind}`, {
        environment,
        runbook: 'containment-function-errors',
        instance: kind,
        metric: containment.function.metricErrors(),
        topic,
      });
    }
    const rotation = new ForeignRotationFunction(this, `Rotation-${id}`, {
      functionArn: rotationFunction,
      strategy,
    });
    const pair = { rotation, containment };
    this.pairs.set(id, pair);
    return pair;
  }

  private buildAlarms(): void {
    const { environment, topic } = this.settings;
    new RunbookAlarm(this, 'RotationFailed', {
      environment,
      runbook: 'rotation-failed',
      metric: rekeyMetric(environment, services.rotation, metrics.rotationFailed),
      topic,
    });
    for (const service of [services.rotation, services.containment]) {
      new RunbookAlarm(this, `AuditPublishFailed-${service}`, {
        environment,
        runbook: 'audit-publish-failed',
        instance: service,
        metric: rekeyMetric(environment, service, metrics.auditPublishFailed),
        topic,
      });
    }
  }
}

/** Tells files of authorities apart in names of resources, which a whole path would fill. */
const authorityId = (file: string): string => `ca${shortHash(file)}`;

/**
 * Whoever may write a secret decides which target and which admin secret its function turns to. Where nothing at the
 * target proves that it is the secret's own, a function serves only secrets of the same targets or of the same admin.
 */
function apartId({ type, resources, adminSecret }: SecretConfiguration): string | undefined {
  const { aws, adminDecides }: SecretTypeEntry = registry[type];
  const reach = [
    ...(aws === undefined ? [] : resources.toSorted()),
    ...(adminDecides ? [JSON.stringify(adminSecret ?? null)] : []),
  ];
  return reach.length === 0 ? undefined : `of${shortHash(reach.join(' '))}`;
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6);
