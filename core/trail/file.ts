import { createGunzip } from 'node:zlib';
import { RekeyError } from '../errors/rekey-error.ts';
import { type TrailCall, trailCall } from './call.ts';
import { jsonRecords, notOfTrail, type TrailFileLimits } from './json-records.ts';

/**
 * Reads the calls in a file of a trail as CloudTrail delivers it, packed with gzip. Files of any size take the same memory. A
 * record of another form, or one that is too long, is given as undefined, and stops nothing.
 * @throws RekeyError `TrailFileInvalid` for a file that is cut off, too large, or none of a trail's
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
 *
 * @example
 * const reads: string[] = [];
 * for await (const call of trailCalls(file)) if (call !== undefined) reads.push(...secretsRead(call));
 */
export async function* trailCalls(
  packed: AsyncIterable<Uint8Array>,
  limits: TrailFileLimits = {},
): AsyncGenerator<TrailCall | undefined> {
  for await (const text of jsonRecords(unpacked(packed), limits)) {
    yield text === undefined ? undefined : trailCall(text);
  }
}

/** Unpacks a file piece by piece. It takes in as much as is read of what comes out. */
async function* unpacked(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  let lost: unknown;
  const feeding = feed(packed, gunzip).catch((error: unknown) => {
    lost = error;
    gunzip.destroy(error instanceof Error ? error : undefined);
  });
  try {
    for await (const piece of gunzip) yield piece as Uint8Array;
  } catch (error) {
    // What the way to the file lost is not the file's fault, and may be tried again.
    if (lost !== undefined) throw lost;
    throw error instanceof RekeyError ? error : notOfTrail('gzip cannot unpack it', error);
  } finally {
    gunzip.destroy();
    await feeding;
  }
}

async function feed(
  packed: AsyncIterable<Uint8Array>,
  gunzip: ReturnType<typeof createGunzip>,
): Promise<void> {
  for await (const piece of packed) {
    if (gunzip.destroyed) return;
    if (!gunzip.write(piece)) {
      await new Promise<void>((resolve) => {
        gunzip.once('drain', resolve).once('close', resolve);
      });
    }
  }
  gunzip.end();
}
