/** Limits of one scan, so that no archive takes all of a machine. */
export interface ScanBounds {
  /** Archives within each other. */
  readonly depth: number;
  /** Bytes that are unpacked in all. */
  readonly unpackedBytes: number;
  /** Bytes to which one compressed stream may unpack, for each of its own, once it has passed {@link ratioFrom}. */
  readonly ratio: number;
  readonly ratioFrom: number;
  /** Bytes of a zip inside of another archive, or of a source map, which are held in memory. */
  readonly heldBytes: number;
  /** Milliseconds that the rules may take on one file, and on each of its megabytes besides. */
  readonly ruleMs: number;
  readonly ruleMsPerMegabyte: number;
  /** Files and entries of archives. */
  readonly entries: number;
  /** Findings that are kept. */
  readonly findings: number;
}

const mebibyte = 1_024 * 1_024;

/** Limits that hold unless an option sets others. */
export const usualBounds: ScanBounds = {
  depth: 8,
  unpackedBytes: 16 * 1_024 * mebibyte,
  ratio: 200,
  ratioFrom: 64 * mebibyte,
  heldBytes: 64 * mebibyte,
  ruleMs: 60_000,
  ruleMsPerMegabyte: 1_000,
  entries: 2_000_000,
  findings: 10_000,
};
