import { Budget } from '../../../cli/scan/bounded.ts';
import { Bytes } from '../../../cli/scan/bytes.ts';
import { Scan } from '../../../cli/scan/look.ts';
import { type ScanBounds, usualBounds } from '../../../core/scan/bounds.ts';

/** Gives bytes in chunks of a length. */
async function* chunksOf(bytes: Uint8Array, length = 64 * 1_024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** Looks into bytes that are nowhere on the disk. */
export async function scanned(
  bytes: Uint8Array | string,
  {
    name = 'artifact',
    bounds = {},
    chunk,
  }: { name?: string; bounds?: Partial<ScanBounds>; chunk?: number } = {},
) {
  const scan = new Scan(new Budget({ ...usualBounds, ...bounds }));
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  await scan.look({ path: [name], bytes: new Bytes(chunksOf(buffer, chunk)) });
  return {
    found: scan.named(),
    rules: scan.named().map(({ rule }) => rule),
    notLookedInto: scan.notLookedInto,
    reasons: scan.notLookedInto.map(({ reason }) => reason),
    counts: scan.counts,
  };
}
