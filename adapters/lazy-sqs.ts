/** Part of the SQS client that is used. It is imported on demand, so that a bundle holds only this part. */
export { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
