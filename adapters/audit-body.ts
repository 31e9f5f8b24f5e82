import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';

/**
 * Bytes above which an object is read as nothing. The writer puts ten events of at most 1 MiB each; what is longer, somebody
 * else has put there.
 */
const longestObject = 16 * 1024 * 1024;
/** S3's answer to whoever reads what was encrypted with a key that the putter kept (SSE-C). */
const sealed = 'InvalidRequest';

/**
 * Reads an object of the audit log. An object that S3 keeps back, or that is larger than any of the log, is read as empty. The
 * writer passes such an object, and verification names it. Either would otherwise stop every reader for as long as the object
 * is locked.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
 */
export async function readAuditBody(get: Promise<GetObjectCommandOutput>): Promise<Uint8Array> {
  try {
    const { Body, ContentLength = 0 } = await get;
    if (Body === undefined) return new Uint8Array();
    if (ContentLength <= longestObject) return await Body.transformToByteArray();
    if ('destroy' in Body) Body.destroy();
    return new Uint8Array();
  } catch (error) {
    if (error instanceof Error && error.name === sealed) return new Uint8Array();
    throw error;
  }
}
