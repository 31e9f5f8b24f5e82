import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Quarantine, type QuarantineProps } from '../../lib/index.ts';
import { same } from './same.ts';
import { bus, queue, stack, topic } from './surroundings.ts';

const least: QuarantineProps = {
  bus,
  auditQueue: queue,
  principals: ['arn:aws:iam::111122223333:role/app-*'],
};
const quarantine = new Quarantine(stack, 'Quarantine', { ...least, alarmTopic: topic });
same<Table>()(quarantine.table);
same<Queue>()(quarantine.deadLetterQueue);
// @ts-expect-error somebody may be quarantined
new Quarantine(stack, 'Nobody', { ...least, principals: [] });
