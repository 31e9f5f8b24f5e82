import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

/**
 * Lets a function send records to the queue of the audit log, where the bus does not take them. The queue's key serves it
 * through SQS alone.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
 */
export function grantAppend(role: Role, queue: IQueue): void {
  role.addToPolicy(
    new PolicyStatement({ sid: 'AuditQueue', actions: ['sqs:SendMessage'], resources: [queue.queueArn] }),
  );
  const key = queue.encryptionMasterKey;
  if (key === undefined) return;
  role.addToPolicy(
    new PolicyStatement({
      sid: 'AuditQueueKey',
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `sqs.${Stack.of(role).region}.amazonaws.com` } },
    }),
  );
}
