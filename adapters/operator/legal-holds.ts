import { PutObjectLegalHoldCommand, type S3Client } from '@aws-sdk/client-s3';
import type { LegalHolds } from '../../core/operator-ports.ts';

/**
 * Places legal holds of S3 Object Lock.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html#object-lock-legal-holds
 */
export class S3LegalHolds implements LegalHolds {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async place(key: string, versionId?: string): Promise<void> {
    await this.#client.send(
      new PutObjectLegalHoldCommand({
        Bucket: this.#bucket,
        Key: key,
        LegalHold: { Status: 'ON' },
        ...(versionId !== undefined && { VersionId: versionId }),
      }),
    );
  }
}
