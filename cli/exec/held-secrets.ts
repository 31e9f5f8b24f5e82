import { SecretError } from '../../core/errors/rekey-error.ts';
import { untilNextLook } from '../../core/exec/pace.ts';
import type { SecretReference } from '../../core/exec/reference.ts';
import type { ReadSecret } from '../../core/exec/variables.ts';
import { ChangeSense, type HeldVersions, versionKey } from '../../core/exec/versions.ts';
import type { SecretValues } from '../../core/operator-ports.ts';
import type { Random } from '../../core/ports.ts';
import { versionWith } from '../../core/secret/secret.ts';

/** The values of all references at one time, and the versions that they are of. */
export interface Reading {
  readonly secrets: readonly ReadSecret[];
  readonly versions: HeldVersions;
}

/** A look at the secrets: the ids of those that changed, and all of the values then. */
export interface Change {
  readonly changed: readonly string[];
  readonly reading: Reading;
}

/** The secrets of a process: reads them, and sees when one of them has another version. */
export class HeldSecrets {
  readonly #values: SecretValues;
  readonly #references: readonly SecretReference[];
  readonly #sense = new ChangeSense();
  #held: HeldVersions = new Map();
  /** Looks that failed in a row. */
  #failures = 0;

  constructor(values: SecretValues, references: readonly SecretReference[]) {
    this.#values = values;
    this.#references = references;
  }

  /**
   * Reads the value of every reference; of one secret and label once.
   * @throws SecretError `SecretValueMissing`, and what Secrets Manager refuses
   */
  async read(): Promise<Reading> {
    const read = new Map<string, { value: string; versionId: string }>();
    for (const reference of this.#references) {
      const key = versionKey(reference);
      if (read.has(key)) continue;
      const { id, stage } = reference;
      const version = await this.#values.read(id, { stage });
      if (version === undefined) {
        throw new SecretError(
          'SecretValueMissing',
          `there is no secret ${id}, or it has no text under the label ${stage}: it may be in another region, hold bytes, or have been rotated never`,
        );
      }
      read.set(key, version);
    }
    return {
      secrets: this.#references.map((reference) => ({
        reference,
        value: read.get(versionKey(reference))?.value ?? '',
      })),
      versions: new Map([...read].map(([key, { versionId }]) => [key, versionId])),
    };
  }

  /** Notes what the process holds from now on. */
  hold({ versions }: Reading): void {
    this.#held = versions;
    for (const [key, versionId] of versions) this.#sense.hold(key, versionId);
  }

  /** Gives the time until the next look, in ms. */
  pauseMs(intervalMs: number, random: Random): number {
    return untilNextLook(intervalMs, random.integer(1_000) / 1_000, this.#failures);
  }

  /**
   * Looks at the version ids, and reads all values when one of them changed. So several secrets that change together are one
   * change, and no value is read in between.
   * @returns the change; `undefined` where there is none
   */
  async look(): Promise<Change | undefined> {
    try {
      const change = await this.#look();
      this.#failures = 0;
      return change;
    } catch (error) {
      this.#failures += 1;
      throw error;
    }
  }

  async #look(): Promise<Change | undefined> {
    const seen = new Map<string, boolean>();
    for (const reference of this.#references) {
      const key = versionKey(reference);
      if (seen.has(key)) continue;
      const version = versionWith(await this.#values.describe(reference.id), reference.stage);
      seen.set(key, this.#sense.changed(key, this.#held.get(key) ?? '', version));
    }
    if (![...seen.values()].includes(true)) return undefined;
    const reading = await this.read();
    const changed = [...reading.versions].filter(([key, versionId]) => this.#held.get(key) !== versionId);
    // Versions are read a moment later: the answer before may have been the old one.
    return changed.length === 0 ? undefined : { changed: changed.map(([key]) => key), reading };
  }
}
