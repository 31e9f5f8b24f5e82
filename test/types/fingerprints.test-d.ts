import { Duration } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Fingerprints, type FingerprintsProps, OperatorRole } from '../../lib/index.ts';
import { same } from './same.ts';
import { bus, key, orders, queue, role, stack, topic } from './surroundings.ts';

const least: FingerprintsProps = { bus, auditQueue: queue, secrets: [orders] };
const fingerprints = new Fingerprints(stack, 'Fingerprints', {
  ...least,
  encryptionKey: key,
  sweepEvery: Duration.hours(1),
  alarmTopic: topic,
});
same<Key>()(fingerprints.key);
same<Table>()(fingerprints.table);
same<Table>()(fingerprints.counts);
same<Metric>()(fingerprints.metricLookups({ statistic: 'Sum' }));
same<Metric>()(fingerprints.metricLookupsRefused());

fingerprints.lookup.grantInvoke(role);
new OperatorRole(stack, 'Operator', {
  environment: 'prod',
  principals: ['111122223333'],
  secrets: [orders],
  fingerprintLookup: fingerprints.lookup,
});
// @ts-expect-error a sweep is every so often, as a duration
new Fingerprints(stack, 'Often', { ...least, sweepEvery: 6 });
// @ts-expect-error the records of lookups need a queue to fall back to
new Fingerprints(stack, 'Unrecorded', { bus, secrets: [orders] });
