import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { AuditObjects } from '../../core/operator-ports.ts';
import { readAuditBody } from '../audit-body.ts';
import { listAuditObjects } from '../audit-listing.ts';

/** Lists and reads the latest objects, for `audit tail` and `doctor`; `audit verify` reads `audit-store.ts`. */
export class S3AuditObjects implements AuditObjects {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  list(after: string, limit: number) {
    return listAuditObjects(this.#client, this.#bucket, after, limit);
  }

  async read(key: string): Promise<Uint8Array> {
    return await readAuditBody(this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key })));
  }
}
