import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { entriesPrefix } from '../../core/audit/format.ts';
import type { AuditObjects } from '../../core/operator-ports.ts';
import { readAuditBody } from '../audit-body.ts';

/**
 * The audit log's objects in order, as readers need them; verification reads all versions, see `audit-store.ts`.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export class S3AuditObjects implements AuditObjects {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async list(after: string, limit: number) {
    const { Contents = [] } = await this.#client.send(
      new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: entriesPrefix,
        StartAfter: after,
        MaxKeys: limit,
      }),
    );
    return Contents.map(({ Key = '', LastModified = new Date(0) }) => ({ key: Key, written: LastModified }));
  }

  async read(key: string): Promise<Uint8Array> {
    return await readAuditBody(this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key })));
  }
}
