import type { AuditLogSource, ObjectVersion } from './verify.ts';

/** What the audit writer needs of the bucket. */
export interface AuditStore extends AuditLogSource {
  /**
   * Puts an object unless its key is taken: this is what keeps two writers from forking the log.
   * @returns `'taken'` when there is an object of this key, or another writer is putting one at this moment
   */
  put(key: string, body: Uint8Array): Promise<'stored' | 'taken'>;
  /** Objects whose key sorts behind `after`, ascending, hidden ones excluded; fewer than `limit` only at the end. */
  list(after: string, limit: number): Promise<readonly { readonly key: string }[]>;
  /** As {@link AuditLogSource.versions}, but of the keys behind `key` only. */
  versionsAfter(key: string): AsyncIterable<ObjectVersion>;
}
