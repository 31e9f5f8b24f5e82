import { CfnWaitConditionHandle, Duration, Stack } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { leadsOf } from '../config/leads.ts';
import type { SecretConfiguration } from '../config/schema.ts';
import { secretName } from '../config/secret-rules.ts';
import { identityOf } from '../config/shards/identity.ts';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import type { FoundationStack } from '../foundation/foundation-stack.ts';
import type { Network } from '../network/network.ts';
import { type AdminSecret, RotatedSecret } from '../secret/rotated-secret.ts';
import { type FunctionPair, FunctionPairs } from './function-pairs.ts';
import { spreadFirstRotations } from './spread-first-rotations.ts';

/** Props of {@link RotationStack}. */
export interface RotationStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly auditQueue: IQueue;
  readonly topic: ITopic;
  readonly foundation: FoundationStack;
  /** Networks by their key in the configuration. */
  readonly networks: ReadonlyMap<string, Network>;
  /** Folder that file names in the configuration are relative to. */
  readonly directory: string;
  /** Number of the stack among the rotation stacks of the environment. */
  readonly shard: number;
  /** Full names of the secrets that are in this stack. */
  readonly members: ReadonlySet<string>;
}

/** Holds a share of an environment's secrets, and the functions that reach their targets. */
export class RotationStack extends Stack {
  /** The stack's secrets by their full name. */
  readonly secrets: ReadonlyMap<string, RotatedSecret>;
  readonly functions: readonly FunctionPair[];
  private readonly pairs: FunctionPairs;
  private readonly settings: RotationStackProps;

  constructor(scope: Construct, id: string, props: RotationStackProps) {
    super(scope, id, props);
    this.settings = props;
    this.pairs = new FunctionPairs(this, props);
    this.secrets = this.buildSecrets();
    spreadFirstRotations(this.secrets.values());
    this.functions = this.pairs.all;
    if (this.secrets.size === 0) {
      // CloudFormation takes no stack without a resource; this one costs nothing and does nothing.
      new CfnWaitConditionHandle(this, 'NoSecrets');
    }
  }

  /** Builds the secrets in the order of their names, admin secrets first. So the order in the configuration changes nothing. */
  private buildSecrets(): ReadonlyMap<string, RotatedSecret> {
    const { environment, configuration, members } = this.settings;
    const mine = Object.values(configuration.secrets)
      .map((secret) => ({ name: secretName(environment, secret), secret }))
      .filter(({ name }) => members.has(name))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1));
    const built = new Map<string, RotatedSecret>();
    const build = (name: string, secret: SecretConfiguration): RotatedSecret => {
      const known = built.get(name);
      if (known !== undefined) {
        return known;
      }
      const result = this.buildSecret(name, secret, this.admin(secret, build));
      built.set(name, result);
      return result;
    };
    for (const { name, secret } of mine) {
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
    if (!('secret' in adminSecret)) {
      return {
        id: adminSecret.adopt,
        ...(adminSecret.encryptionKey !== undefined && {
          encryptionKey: this.keyOf(adminSecret.encryptionKey),
        }),
      };
    }
    const { environment, configuration, members, foundation } = this.settings;
    const secret = configuration.secrets[adminSecret.secret];
    if (secret === undefined) {
      return undefined;
    }
    const name = secretName(environment, secret);
    if (members.has(name)) {
      return build(name, secret);
    }
    // In another rotation stack: by its name, since two stacks that read each other could not be deployed.
    const own = secret.encryptionKey === undefined ? undefined : this.keyOf(secret.encryptionKey);
    const encryptionKey = secret.create === undefined ? own : foundation.secretsKey;
    return { id: secret.adopt ?? name, ...(encryptionKey !== undefined && { encryptionKey }) };
  }

  /** Imports a key once, however many secrets name it. */
  private keyOf(arn: string): IKey {
    const id = `Key-${arn}`;
    return (this.node.tryFindChild(id) as IKey | undefined) ?? Key.fromKeyArn(this, id, arn);
  }

  private buildSecret(
    name: string,
    secret: SecretConfiguration,
    admin: AdminSecret | undefined,
  ): RotatedSecret {
    const { configuration, foundation } = this.settings;
    // By the secret's name, since CloudFormation knows it by this id: a new key in the configuration is no new secret.
    return new RotatedSecret(this, `Secret-${identityOf(name)}`, {
      secret:
        secret.create === undefined
          ? {
              adopt: {
                id: secret.adopt,
                ...(secret.encryptionKey !== undefined && {
                  encryptionKey: this.keyOf(secret.encryptionKey),
                }),
              },
            }
          : {
              create: {
                name,
                fields: secret.create.fields,
                encryptionKey: foundation.secretsKey,
              },
            },
      ...this.pairs.of(secret),
      ...(admin !== undefined && { adminSecret: admin }),
      ...(secret.identity !== undefined && { identity: secret.identity }),
      resources: secret.resources,
      owner: secret.owner,
      ...(secret.purpose !== undefined && { purpose: secret.purpose }),
      tagOwner: configuration.access.byOwner,
      consumers: secret.consumers,
      leadsTo: leadsOf(this.settings.environment, configuration, secret),
      ...(secret.expires !== undefined && { expires: secret.expires }),
      ...(secret.network !== undefined && { networkName: secret.network }),
      schedule: Schedule.expression(secret.schedule ?? configuration.rotation.schedule),
      maximumAge: Duration.days(secret.maximumAgeDays ?? configuration.rotation.maximumAgeDays),
      ...(secret.rotateOnDeploy !== undefined && { rotateOnDeploy: secret.rotateOnDeploy }),
    });
  }
}
