import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { entriesPrefix } from '../core/audit/format.ts';
import type { AuditLogSource, ObjectVersion } from '../core/audit/verify.ts';

/**
 * A copy of the bucket in a directory, for verification offline. The directory is the folder that holds `entries/`, as
 * `aws s3 sync s3://<bucket> <directory>` writes it. A copy holds the latest version of each object only.
 */
export class DirectoryAuditLog implements AuditLogSource {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async *versions(): AsyncGenerator<ObjectVersion> {
    // All keys of a log are ASCII, which sorts as S3 does.
    const names = await readdir(join(this.#directory, entriesPrefix));
    for (const name of names.sort()) {
      yield { key: `${entriesPrefix}${name}`, deleteMarker: false, latest: true };
    }
  }

  read({ key }: Pick<ObjectVersion, 'key'>): Promise<Uint8Array> {
    return readFile(join(this.#directory, key));
  }
}
