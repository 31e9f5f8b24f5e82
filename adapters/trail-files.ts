import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { RekeyError } from '../core/errors/rekey-error.ts';
import type { TrailFiles } from '../core/trail/ports.ts';
import { awsError } from './aws-error.ts';

/** Bytes of a packed file above which nothing of it is read. CloudTrail begins another one at about 50 MB unpacked. */
const largest = 256 * 1024 * 1024;

/** The bucket of a trail. A file is read as it comes, never as a whole. */
export class S3TrailFiles implements TrailFiles {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async open(key: string, version?: string): Promise<AsyncIterable<Uint8Array>> {
    try {
      const { Body, ContentLength = 0 } = await this.#client.send(
        new GetObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          ...(version !== undefined && { VersionId: version }),
        }),
      );
      if (Body === undefined || ContentLength > largest) {
        if (Body !== undefined && 'destroy' in Body) Body.destroy();
        throw new RekeyError(
          'TrailFileInvalid',
          `a file of the trail in ${this.#bucket} has ${ContentLength} bytes, and at most ${largest} are read; find out who put it there`,
        );
      }
      // In Node.js a body is a stream of Node.js.
      return Body as unknown as AsyncIterable<Uint8Array>;
    } catch (error) {
      if (error instanceof RekeyError) throw error;
      throw awsError(error, { service: 'S3', action: 's3:GetObject', on: this.#bucket });
    }
  }
}
