import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { metrics, services } from '../../core/names.ts';
import { apisOf } from '../config/networks.ts';
import { passwordEnvironment } from '../config/passwords.ts';
import { secretName } from '../config/rules.ts';
import type { SecretConfiguration } from '../config/schema.ts';
import { Network } from '../constructs/network.ts';
import type { RekeyBus } from '../constructs/rekey-bus.ts';
import { type AdminSecret, RotatedSecret } from '../constructs/rotated-secret.ts';
import { RotationObserver } from '../constructs/rotation-observer.ts';
import { RunbookAlarm, rekeyMetric } from '../constructs/runbook-alarm.ts';
import { identityOf } from '../shards/identity.ts';
import type { EnvironmentStackProps } from './events-stack.ts';
import { type FunctionPair, FunctionPairs } from './function-pairs.ts';

/** Props of {@link RotationStack}. */
export interface RotationStackProps extends EnvironmentStackProps {
  readonly bus: RekeyBus;
  readonly auditQueue: IQueue;
  readonly topic: ITopic;
  /** Folder that file names in the configuration are relative to. */
  readonly directory: string;
}

/** Networks, the functions that reach the targets, and the secrets. */
export class RotationStack extends Stack {
  /** The environment's secrets by their key in the configuration. */
  readonly secrets: ReadonlyMap<string, RotatedSecret>;
  readonly functions: readonly FunctionPair[];
  /** Missing where every rotation function is Rekey's own. */
  readonly observer: RotationObserver | undefined;
  private readonly pairs: FunctionPairs;
  private readonly networks: ReadonlyMap<string, Network>;
  private readonly settings: RotationStackProps;

  constructor(scope: Construct, id: string, props: RotationStackProps) {
    super(scope, id, props);
    this.settings = props;
    const { environment, configuration } = props;
    this.networks = new Map(
      Object.entries(configuration.networks).map(([name, network]) => [
        name,
        new Network(this, `Network-${name}`, {
          name: `rekey-${environment}-${name}`,
          network,
          apis: apisOf(name, configuration.secrets),
        }),
      ]),
    );
    const key = new Key(this, 'SecretsKey', {
      description: `Rekey ${environment}: secrets`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.pairs = new FunctionPairs(this, { ...props, networks: this.networks });
    this.secrets = this.buildSecrets(key);
    this.functions = this.pairs.all;
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
      const result = this.buildSecret(secret, key, this.admin(secret, build));
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

  private buildSecret(secret: SecretConfiguration, key: Key, admin: AdminSecret | undefined): RotatedSecret {
    const { environment, configuration } = this.settings;
    const network = secret.network === undefined ? undefined : this.networks.get(secret.network);
    const fullName = secretName(environment, secret);
    // By the secret's name, since CloudFormation knows it by this id: a new key in the configuration is no new secret.
    return new RotatedSecret(this, `Secret-${identityOf(fullName)}`, {
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
                name: fullName,
                fields: secret.create.fields,
                encryptionKey: key,
                passwordEnvironment: passwordEnvironment(configuration.passwords),
              },
            },
      ...this.pairs.of(secret),
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
