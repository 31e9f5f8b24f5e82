import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { type Budget, NotReadable } from './bounded.ts';
import { Bytes } from './bytes.ts';

/** Kind of a file, by its first bytes. */
export type Format = 'zip' | 'tar' | 'gzip' | 'zstd' | 'other';

/** Formats that are not read, with the bytes by which each begins. */
const refusedFormats: readonly (readonly [name: string, begin: readonly number[]])[] = [
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(
    (size) => ['bzip2', [0x42, 0x5a, 0x68, 0x30 + size, 0x31, 0x41, 0x59]] as const,
  ),
  // A frame of zstd that is skipped, with which parallel packers begin.
  ...Array.from({ length: 16 }, (_, kind) => ['zstd in frames', [0x50 + kind, 0x2a, 0x4d, 0x18]] as const),
  ['7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['rar', [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ['rpm', [0xed, 0xab, 0xee, 0xdb]],
  ['squashfs', [0x68, 0x73, 0x71, 0x73]],
  ['deb', [...Buffer.from('!<arch>\ndebian-binary')]],
];

const beginsWith = (head: Uint8Array, bytes: readonly number[]): boolean =>
  head.length >= bytes.length && bytes.every((byte, at) => head[at] === byte);

const blockLength = 512;

/** Tells whether a block is the header of a tar's entry. Such a block holds the sum of its own bytes. */
function isTarHeader(head: Uint8Array): boolean {
  if (head.length < blockLength) return false;
  const noted = Number.parseInt(
    Buffer.from(head.subarray(148, 156)).toString('latin1').replaceAll('\0', ' ').trim(),
    8,
  );
  if (!Number.isInteger(noted) || noted === 0) return false;
  let sum = 8 * 0x20;
  for (let at = 0; at < blockLength; at += 1) if (at < 148 || at >= 156) sum += head[at] ?? 0;
  return sum === noted;
}

/**
 * Tells the format of a file by its first bytes, whatever its name says.
 * @throws NotReadable for archives of a format that is not read
 */
export function formatOf(head: Uint8Array): Format {
  const refused = refusedFormats.find(([, begin]) => beginsWith(head, begin));
  if (refused !== undefined)
    throw new NotReadable(`is of the format ${refused[0]}, which is not read; scan it unpacked`);
  if (beginsWith(head, [0x50, 0x4b, 0x03, 0x04]) || beginsWith(head, [0x50, 0x4b, 0x05, 0x06])) return 'zip';
  if (beginsWith(head, [0x1f, 0x8b, 0x08])) return 'gzip';
  if (beginsWith(head, [0x28, 0xb5, 0x2f, 0xfd])) return 'zstd';
  return isTarHeader(head) ? 'tar' : 'other';
}

/** Unpacks a stream of gzip or zstd. What it unpacks to is counted, and ends at the bounds. */
export function unpacked(bytes: Bytes, format: 'gzip' | 'zstd', budget: Budget): Bytes {
  let packed = 0;
  const counted = async function* () {
    for await (const chunk of bytes) {
      packed += chunk.length;
      yield chunk;
    }
  };
  const unpacker = format === 'gzip' ? createGunzip() : createZstdDecompress();
  const source = Readable.from(counted(), { objectMode: false });
  source.once('error', (error) => unpacker.destroy(error));
  source.pipe(unpacker);
  const close = async function* () {
    try {
      yield* budget.unpacked(unpacker as AsyncIterable<Uint8Array>, () => packed);
    } finally {
      source.unpipe(unpacker);
      source.destroy();
      unpacker.destroy();
    }
  };
  return new Bytes(close());
}
