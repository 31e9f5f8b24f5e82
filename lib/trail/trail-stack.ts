import { Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { TrailConfiguration } from '../config/trail.ts';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { Attribution } from './attribution.ts';
import type { TrailFilesPlace } from './trail.ts';

/** Props of {@link TrailStack}. */
export interface TrailStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly topic: ITopic;
  readonly auditQueue: IQueue;
  /** Trail of the environment itself. @default - the configuration names one that is there */
  readonly trail?: TrailFilesPlace;
}

/** The function that reads the trail, where the configuration has one. */
export class TrailStack extends Stack {
  readonly attribution: Attribution;

  constructor(scope: Construct, id: string, props: TrailStackProps) {
    super(scope, id, props);
    const { bus, topic, auditQueue, configuration, trail } = props;
    this.attribution = new Attribution(this, 'Attribution', {
      bus,
      auditQueue,
      files: trail ?? this.existing(configuration.trail ?? {}),
      alarmTopic: topic,
    });
  }

  /** Takes the place of a trail that is there already. */
  private existing({
    bucket = '',
    encryptionKey,
    prefix,
    organization,
  }: TrailConfiguration): TrailFilesPlace {
    return {
      bucket: Bucket.fromBucketName(this, 'TrailBucket', bucket),
      ...(encryptionKey !== undefined && { encryptionKey: Key.fromKeyArn(this, 'TrailKey', encryptionKey) }),
      ...(prefix !== undefined && { prefix }),
      ...(organization !== undefined && { organization }),
    };
  }
}
