import { type Entry, fromBufferPromise, openPromise, type ZipFile } from 'yauzl';
import { type Budget, NotReadable } from './bounded.ts';
import { Bytes } from './bytes.ts';
import type { ArchiveEntry } from './tar.ts';

/** A zip on disk, or in memory. */
type ZipSource = { readonly file: string } | { readonly buffer: Buffer };

// Names are data here: nothing is written under one. So a name that leads out of a folder is no reason to stop.
const options = {
  lazyEntries: true,
  decodeStrings: false,
  strictFileNames: false,
  validateEntrySizes: true,
} as const;

/**
 * Reads the files of a zip by its directory, which is what programs read that unpack one.
 * @param onFault - called with the name of an entry, and a sentence on why it is not read
 */
export async function* zipEntries(
  source: ZipSource,
  budget: Budget,
  onFault: (name: string, reason: string) => Promise<void>,
): AsyncGenerator<ArchiveEntry> {
  const zip: ZipFile =
    'file' in source
      ? await openPromise(source.file, { ...options, autoClose: false })
      : await fromBufferPromise(source.buffer, options);
  try {
    for await (const entry of zip.eachEntry()) {
      const name = nameOf(entry);
      if (name.endsWith('/')) continue;
      if (entry.isEncrypted()) {
        await onFault(name, 'is encrypted');
        continue;
      }
      if (!entry.canDecodeFileData()) {
        await onFault(name, `is packed by method ${entry.compressionMethod}, which is not read`);
        continue;
      }
      const bytes = new Bytes(contentOf(zip, entry, budget));
      yield { name, bytes };
      await bytes.close();
    }
  } finally {
    zip.close();
  }
}

async function* contentOf(zip: ZipFile, entry: Entry, budget: Budget): AsyncGenerator<Uint8Array> {
  const stream = await zip.openReadStreamPromise(entry);
  try {
    yield* budget.unpacked(stream as AsyncIterable<Uint8Array>, () => entry.compressedSize);
  } catch (error) {
    if (error instanceof NotReadable) throw error;
    throw new NotReadable('is damaged, or cut off: it does not unpack to its end');
  } finally {
    stream.destroy();
  }
}

/** Reads a name, in UTF-8 where its flag says so. Older character sets differ in letters that no rule needs. */
function nameOf(entry: Entry): string {
  const raw: Buffer = entry.fileNameRaw ?? Buffer.from(entry.fileName);
  const isUtf8 = (entry.generalPurposeBitFlag & 0x800) !== 0;
  return (isUtf8 ? raw.toString('utf8') : raw.toString('latin1')).replaceAll('\\', '/');
}
