import type { AuditStore } from '../../../core/audit/store.ts';
import type { ObjectVersion } from '../../../core/audit/verify.ts';

interface StoredVersion {
  readonly versionId: string;
  readonly body: Uint8Array | undefined;
}

/** Versions that S3 lists at once. */
const versionsOfPage = 1000;

/** A versioned bucket in memory, with conditional puts as S3 documents them. */
export class MemoryAuditStore implements AuditStore {
  readonly objects = new Map<string, StoredVersion[]>();
  /** Keys listed one at a time and pages of versions, to bound the work of finding the head. */
  calls = 0;
  #next = 0;
  #sorted: string[] = [];

  async put(key: string, body: Uint8Array): Promise<'stored' | 'taken'> {
    await Promise.resolve();
    const versions = this.objects.get(key);
    if (versions?.[0]?.body !== undefined) {
      return 'taken';
    }
    this.overwrite(key, body);
    return 'stored';
  }

  /** A put without condition. */
  overwrite(key: string, body: Uint8Array): void {
    this.#push(key, Uint8Array.from(body));
  }

  /** A delete without version id. */
  hide(key: string): void {
    this.#push(key, undefined);
  }

  async list(after: string, limit: number): Promise<{ key: string }[]> {
    this.calls += 1;
    return this.#keys()
      .filter((key) => key > after && this.objects.get(key)?.[0]?.body !== undefined)
      .slice(0, limit)
      .map((key) => ({ key }));
  }

  versions(): AsyncIterable<ObjectVersion> {
    return this.versionsAfter('');
  }

  async *versionsAfter(after: string): AsyncGenerator<ObjectVersion> {
    let listed = 0;
    this.calls += 1;
    for (const key of this.#keys().filter((other) => other > after)) {
      for (const [index, { versionId, body }] of (this.objects.get(key) ?? []).entries()) {
        if (listed === versionsOfPage) this.calls += 1;
        listed = listed === versionsOfPage ? 1 : listed + 1;
        yield { key, versionId, deleteMarker: body === undefined, latest: index === 0 };
      }
    }
  }

  async read({ key, versionId }: ObjectVersion): Promise<Uint8Array> {
    const body = this.objects.get(key)?.find((version) => version.versionId === versionId)?.body;
    if (body === undefined) {
      throw new Error(`no content at ${key} ${versionId}`);
    }
    return body;
  }

  #push(key: string, body: Uint8Array | undefined): void {
    this.#next += 1;
    this.objects.set(key, [{ versionId: `v${this.#next}`, body }, ...(this.objects.get(key) ?? [])]);
  }

  /** Sorted anew only where keys came or went: tests change the map themselves. */
  #keys(): string[] {
    if (this.#sorted.length !== this.objects.size || !this.#sorted.every((key) => this.objects.has(key))) {
      this.#sorted = [...this.objects.keys()].sort((a, b) => (a < b ? -1 : 1));
    }
    return this.#sorted;
  }
}
