import type { ScanBounds } from '../../core/scan/bounds.ts';

/** The reason for which something is not looked into. It says nothing of what is in there. */
export class NotReadable extends Error {
  /** True if the whole scan ends here. */
  readonly all: boolean;

  constructor(reason: string, all = false) {
    super(reason);
    this.all = all;
  }
}

/** Counts what a scan unpacks, and ends it at the limits. */
export class Budget {
  readonly bounds: ScanBounds;
  #unpacked = 0;
  #entries = 0;

  constructor(bounds: ScanBounds) {
    this.bounds = bounds;
  }

  /** Takes one file or entry off. */
  takeEntry(): void {
    this.#entries += 1;
    if (this.#entries > this.bounds.entries) {
      throw new NotReadable(`more than ${this.bounds.entries} files are in what is scanned`, true);
    }
  }

  /** Counts the bytes of a stream that is unpacked from a number of others. */
  async *unpacked(chunks: AsyncIterable<Uint8Array>, packed: () => number): AsyncGenerator<Uint8Array> {
    const { ratio, ratioFrom, unpackedBytes } = this.bounds;
    let own = 0;
    for await (const chunk of chunks) {
      own += chunk.length;
      this.#unpacked += chunk.length;
      if (own > ratioFrom && own > ratio * packed()) {
        throw new NotReadable(
          `unpacks to more than ${ratio} times its size; if that is right, scan it unpacked`,
        );
      }
      if (this.#unpacked > unpackedBytes) {
        throw new NotReadable(
          `${Math.round(unpackedBytes / 2 ** 30)} GiB were unpacked, which is the limit; raise it with --most-unpacked`,
          true,
        );
      }
      yield chunk;
    }
  }
}

/** Says why something could not be read, in the program's own words. */
export function reasonOf(error: unknown): string {
  if (error instanceof NotReadable) return error.message;
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (/^(?:Z_|ERR_ZSTD|ZSTD_|ERR__ERROR)/.test(code))
    return 'is damaged, or cut off: it does not unpack to its end';
  if (/^E[A-Z]+$/.test(code)) return `cannot be read (${code})`;
  return 'is damaged: its structure cannot be read to the end';
}
