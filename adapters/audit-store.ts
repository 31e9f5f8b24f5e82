import {
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { entriesPrefix } from '../core/audit/format.ts';
import type { AuditStore } from '../core/audit/store.ts';
import type { ObjectVersion } from '../core/audit/verify.ts';
import { awsFault } from '../core/errors/aws.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { readAuditBody } from './audit-body.ts';
import { listAuditObjects } from './audit-listing.ts';
import { awsError } from './aws-error.ts';

/**
 * The audit log's bucket.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export class S3AuditStore implements AuditStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async put(key: string, body: Uint8Array): Promise<'stored' | 'taken'> {
    try {
      await this.#client.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          Body: body,
          ContentType: 'application/x-ndjson',
          IfNoneMatch: '*',
          ChecksumAlgorithm: 'SHA256',
        }),
      );
      return 'stored';
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      if (name === 'PreconditionFailed' || name === 'ConditionalRequestConflict') {
        return 'taken';
      }
      throw this.#explained(error, 'PutObject');
    }
  }

  async list(after: string, limit: number): Promise<readonly { readonly key: string }[]> {
    return await listAuditObjects(this.#client, this.#bucket, after, limit).catch((error: unknown) => {
      throw this.#explained(error, 'ListBucket');
    });
  }

  versions(): AsyncIterable<ObjectVersion> {
    return this.versionsAfter('');
  }

  async *versionsAfter(key: string): AsyncGenerator<ObjectVersion> {
    let from: { KeyMarker?: string; VersionIdMarker?: string } | undefined =
      key === '' ? {} : { KeyMarker: key };
    while (from !== undefined) {
      const page: ListObjectVersionsCommandOutput = await this.#client.send(
        new ListObjectVersionsCommand({ Bucket: this.#bucket, Prefix: entriesPrefix, ...from }),
      );
      yield* inOrder([
        ...(page.Versions ?? []).map((version) => ({ ...version, deleteMarker: false })),
        ...(page.DeleteMarkers ?? []).map((marker) => ({ ...marker, deleteMarker: true })),
      ]);
      from =
        page.IsTruncated && page.NextKeyMarker !== undefined
          ? {
              KeyMarker: page.NextKeyMarker,
              ...(page.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }),
            }
          : undefined;
    }
  }

  async read({ key, versionId }: Pick<ObjectVersion, 'key' | 'versionId'>): Promise<Uint8Array> {
    const get = new GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ...(versionId !== undefined && { VersionId: versionId }),
    });
    return await readAuditBody(this.#client.send(get)).catch((error: unknown) => {
      throw this.#explained(error, 'GetObject');
    });
  }

  /**
   * Names the key where S3 could not use it: `KMS.DisabledException`, `KMS.KMSInvalidStateException` and the like.
   * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
   */
  #explained(error: unknown, action: string): unknown {
    const fault = awsFault(error);
    return fault?.code === 'KeyUnusable'
      ? new RekeyError(
          'AuditKeyUnusable',
          `S3 cannot use the KMS key of the audit bucket ${this.#bucket} (${fault.name}); enable the key, or cancel its deletion`,
          { cause: error },
        )
      : awsError(error, { service: 'S3', action: `s3:${action}`, on: this.#bucket });
  }
}

interface ListedVersion {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly IsLatest?: boolean | undefined;
  readonly LastModified?: Date | undefined;
  readonly deleteMarker: boolean;
}

/**
 * Merges versions and delete markers, which the SDK hands out as two lists. They are put in order by key, then latest first,
 * then by time: S3 lists versions newest first. The sort is stable, so versions of one second stay as S3 listed them.
 */
function inOrder(listed: readonly ListedVersion[]): ObjectVersion[] {
  return [...listed]
    .sort(
      (a, b) =>
        compare(a.Key ?? '', b.Key ?? '') ||
        Number(b.IsLatest ?? false) - Number(a.IsLatest ?? false) ||
        (b.LastModified?.getTime() ?? 0) - (a.LastModified?.getTime() ?? 0),
    )
    .map(({ Key = '', VersionId, IsLatest = false, deleteMarker }) => ({
      key: Key,
      deleteMarker,
      latest: IsLatest,
      ...(VersionId !== undefined && { versionId: VersionId }),
    }));
}

/** Compares keys as S3 orders them: by their UTF-8 bytes. All keys of a log are ASCII. */
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
