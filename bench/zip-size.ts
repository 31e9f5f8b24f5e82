import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';

/** Bytes of a ZIP archive of the files in a folder, without writing one: contents, headers and directory. */
export function zipSize(directory: string): number {
  const endOfDirectory = 22;
  return readdirSync(directory).reduce((bytes, name) => {
    const headers = 30 + 46 + 2 * Buffer.byteLength(name);
    return bytes + deflateRawSync(readFileSync(join(directory, name))).length + headers;
  }, endOfDirectory);
}
