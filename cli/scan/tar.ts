import { Parser } from 'tar/parse';
import type { ReadEntry } from 'tar/read-entry';
import { Bytes } from './bytes.ts';

/** A file in an archive. */
export interface ArchiveEntry {
  readonly name: string;
  readonly bytes: Bytes;
}

/** Faults of one archive that are named one by one. */
const mostFaults = 20;

/**
 * Reads the files of a tar one after the other, as a stream. What is damaged is told and passed over, as far as the next file can be
 * found.
 * @param onFault - called with a sentence on what could not be read
 */
export async function* tarEntries(
  bytes: Bytes,
  onFault: (reason: string) => void,
): AsyncGenerator<ArchiveEntry> {
  const arrived: ReadEntry[] = [];
  let wake = () => {};
  let [ended, faults, broken] = [false, 0, false];
  let failure: unknown;
  const fault = (reason: string) => {
    faults += 1;
    if (faults <= mostFaults) onFault(reason);
  };
  const parser = new Parser({
    strict: false,
    brotli: false,
    onReadEntry: (entry) => {
      arrived.push(entry);
      wake();
    },
    onwarn: (code, message) => {
      // Every block behind a broken header is one; once tells it.
      if (code === 'TAR_ENTRY_INVALID') {
        if (!broken) fault('holds a header that is damaged; files behind it may be missing');
        broken = true;
      } else if (/ignoring|unsupported/i.test(String(message)))
        fault('holds an entry of a kind that is not read');
      else fault('is damaged, or cut off: files may be missing');
    },
  });
  parser.on('ignoredEntry', (entry: ReadEntry) => {
    if (!entry.meta) fault('holds an entry of a kind that is not read');
  });
  const feeding = feed(bytes, parser)
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      ended = true;
      wake();
    });
  for (;;) {
    const entry = arrived.shift();
    if (entry === undefined) {
      if (ended) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (arrived.length > 0 || ended) resolve();
      });
      continue;
    }
    const content = new Bytes(entry);
    if (entry.type === 'File' || entry.type === 'OldFile' || entry.type === 'ContiguousFile') {
      yield { name: entry.path, bytes: content };
    }
    await content.drain();
  }
  await feeding;
  if (failure !== undefined) throw failure;
}

async function feed(bytes: Bytes, parser: Parser): Promise<void> {
  try {
    for await (const chunk of bytes) {
      const goesOn = parser.write(chunk as Buffer);
      if (!goesOn) await new Promise<void>((resolve) => parser.once('drain', () => resolve()));
    }
  } finally {
    parser.end();
  }
}
