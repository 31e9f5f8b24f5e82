import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import {
  Attribution,
  type AttributionProps,
  type AuditLog,
  Trail,
  type TrailFilesPlace,
  type TrailProps,
} from '../../lib/index.ts';
import { same } from './same.ts';
import { bucket, bus, key, queue, stack, topic } from './surroundings.ts';

declare const log: AuditLog;
const props: TrailProps = { bus, log };
const trail = new Trail(stack, 'Trail', props);
same<IBucket>()(trail.bucket);
same<IKey>()(trail.encryptionKey);
const least: AttributionProps = { bus, auditQueue: queue, files: trail };
new Attribution(stack, 'Attribution', { ...least, alarmTopic: topic }).metricDisputed();
const place: TrailFilesPlace = { bucket, encryptionKey: key, prefix: 'trails', organization: 'o-a1b2c3d4e5' };
new Attribution(stack, 'Elsewhere', { ...least, files: place });
// @ts-expect-error it reads the files of some trail
new Attribution(stack, 'Nowhere', { bus, auditQueue: queue });
// @ts-expect-error the files lie in the bucket of a log
new Trail(stack, 'Bare', { bus });
