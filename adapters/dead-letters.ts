import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { called } from './aws-error.ts';

/**
 * Makes what puts notes into a dead-letter queue.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export const deadLetters =
  (client: SQSClient, queueUrl: string) =>
  async (note: Readonly<Record<string, string>>): Promise<void> => {
    const send = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(note) });
    await called({ service: 'SQS', action: 'sqs:SendMessage', on: queueUrl }, client.send(send));
  };
