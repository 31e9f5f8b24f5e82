import { Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { Fingerprints } from './fingerprints.ts';

/** Props of {@link FingerprintStack}. */
export interface FingerprintStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly topic: ITopic;
  readonly auditQueue: IQueue;
  readonly secrets: readonly RotatedSecret[];
  readonly secretsKey: IKey;
}

/** The fingerprints of an environment's secrets, where its configuration asks for them. */
export class FingerprintStack extends Stack {
  readonly fingerprints: Fingerprints;

  constructor(scope: Construct, id: string, props: FingerprintStackProps) {
    super(scope, id, props);
    const { bus, auditQueue, secrets, secretsKey, topic } = props;
    this.fingerprints = new Fingerprints(this, 'Fingerprints', {
      bus,
      auditQueue,
      secrets,
      encryptionKey: secretsKey,
      alarmTopic: topic,
    });
  }
}
