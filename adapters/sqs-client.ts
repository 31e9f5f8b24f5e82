/** The part of the SQS client that is used, to be imported on demand: a bundle then holds only this part. */
export { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
