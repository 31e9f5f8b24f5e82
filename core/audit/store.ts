import type { AuditLogSource, ObjectVersion } from './verify.ts';

/** The bucket as the audit writer needs it. */
export interface AuditStore extends AuditLogSource {
  /**
   * Puts an object unless its key is taken: this is what keeps two writers from forking the log.
   * @returns `'taken'` when there is an object of this key, or another writer is putting one at this moment
   */
  put(key: string, body: Uint8Array): Promise<'stored' | 'taken'>;
  /** Lists objects whose key sorts behind `after`, ascending, hidden ones excluded; fewer than `limit` only at the end. */
  list(after: string, limit: number): Promise<readonly { readonly key: string }[]>;
  /** Lists versions as {@link AuditLogSource.versions} does, but of the keys behind `key` only. */
  versionsAfter(key: string): AsyncIterable<ObjectVersion>;
}
