import type { SecretReference } from './reference.ts';

/** Version ids of secrets, by `<id>@<label>`. */
export type HeldVersions = ReadonlyMap<string, string>;

/** Gives the key of a reference among {@link HeldVersions}; two keys of one secret share it. */
export const versionKey = ({ id, stage }: SecretReference): string => `${id}@${stage}`;

/**
 * Tells a change from an old answer. A version that the process never held is new. One that it held before may come from a
 * read that is behind, so it counts only when two looks in a row have seen it.
 */
export class ChangeSense {
  readonly #before = new Set<string>();
  readonly #suspected = new Map<string, string>();

  /** Notes a version that the process holds from now on. */
  hold(key: string, versionId: string): void {
    this.#before.add(`${key} ${versionId}`);
    this.#suspected.delete(key);
  }

  /** Tells whether what a look saw is a change that counts. */
  changed(key: string, held: string, seen: string | undefined): boolean {
    if (seen === undefined || seen === held) {
      this.#suspected.delete(key);
      return false;
    }
    if (!this.#before.has(`${key} ${seen}`) || this.#suspected.get(key) === seen) return true;
    this.#suspected.set(key, seen);
    return false;
  }
}
