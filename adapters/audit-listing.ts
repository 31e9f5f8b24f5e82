import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { entriesPrefix } from '../core/audit/format.ts';

/** An object of the audit bucket, without its content. */
export interface ListedAuditObject {
  readonly key: string;
  readonly written: Date;
}

/**
 * Lists objects of the audit bucket whose keys sort behind `after`, ascending; fewer than `limit` only at the end. A page of S3 may
 * hold fewer keys than asked for although more follow.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function listAuditObjects(
  client: S3Client,
  bucket: string,
  after: string,
  limit: number,
): Promise<readonly ListedAuditObject[]> {
  const listed: ListedAuditObject[] = [];
  let truncated: boolean | undefined = true;
  while (truncated && listed.length < limit) {
    const page: ListObjectsV2CommandOutput = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: entriesPrefix,
        StartAfter: listed.at(-1)?.key ?? after,
        MaxKeys: limit - listed.length,
      }),
    );
    for (const { Key = '', LastModified = new Date(0) } of page.Contents ?? []) {
      listed.push({ key: Key, written: LastModified });
    }
    truncated = page.IsTruncated && (page.Contents ?? []).length > 0;
  }
  return listed;
}
