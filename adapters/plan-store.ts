import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { PlanStore } from '../core/revocation/ports.ts';
import { awsError } from './aws-error.ts';

/**
 * The plans of revocations in a bucket. The first plan of a request stays: S3 takes no second object under its key.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export class S3PlanStore implements PlanStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async keepFirst(key: string, text: string): Promise<string> {
    try {
      await this.#client.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          Body: text,
          ContentType: 'application/json',
          IfNoneMatch: '*',
          ChecksumAlgorithm: 'SHA256',
        }),
      );
      return text;
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      if (name !== 'PreconditionFailed' && name !== 'ConditionalRequestConflict') {
        throw this.#explained(error, 'PutObject');
      }
      return (await this.read(key)) ?? text;
    }
  }

  async read(key: string): Promise<string | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      return await Body?.transformToString();
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
      throw this.#explained(error, 'GetObject');
    }
  }

  #explained(error: unknown, action: string): unknown {
    return awsError(error, { service: 'S3', action: `s3:${action}`, on: this.#bucket });
  }
}
