import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { RekeyError } from '../core/errors/rekey-error.ts';
import type { PublishToTopic } from '../core/notification/ports.ts';
import { type NotifierSettings, notifierSettingsSchema } from '../core/notification/settings.ts';
import { called } from './aws-error.ts';
import { jsonOf } from './json.ts';

/** Publishes to topics of Amazon SNS. @see https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
export const topicPublisher =
  (client: SNSClient): PublishToTopic =>
  async (topicArn, { subject, message }) => {
    const publish = new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: message });
    await called({ service: 'SNS', action: 'sns:Publish', on: topicArn }, client.send(publish));
  };

/**
 * Has a queue show messages again after some seconds.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 */
export const messageDelay =
  (client: SQSClient, queueUrl: string) =>
  async (receiptHandle: string, seconds: number): Promise<void> => {
    const change = new ChangeMessageVisibilityCommand({
      QueueUrl: queueUrl,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    });
    await called(
      { service: 'SQS', action: 'sqs:ChangeMessageVisibility', on: queueUrl },
      client.send(change),
    );
  };

/**
 * Reads the settings of the notifier.
 * @throws RekeyError `NotifierSettingsInvalid` when the parameter does not hold them
 */
export async function readNotifierSettings(client: SSMClient, parameter: string): Promise<NotifierSettings> {
  const { Parameter } = await called(
    { service: 'Systems Manager', action: 'ssm:GetParameter', on: parameter },
    client.send(new GetParameterCommand({ Name: parameter })),
  );
  const parsed = notifierSettingsSchema.safeParse(jsonOf(Parameter?.Value));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  throw new RekeyError(
    'NotifierSettingsInvalid',
    `SSM parameter ${parameter} does not hold the settings of the notifier (${fields}); deploy the app again`,
  );
}
