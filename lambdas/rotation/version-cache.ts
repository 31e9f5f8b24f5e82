import type { Clock, SecretStore } from '../../core/ports.ts';
import type { SecretVersion } from '../../core/secret/secret.ts';

/**
 * Remembers the versions that one rotation needs while its steps run in one warm process. This is sound because Secrets
 * Manager never changes the value of a version once it has one; labels are not taken from here. Everything is forgotten at the
 * end of the rotation, or after two minutes.
 */
export class VersionCache implements SecretStore {
  readonly #store: SecretStore;
  readonly #clock: Clock;
  readonly #versions = new Map<string, { version: SecretVersion; until: number }>();
  readonly #proven = new Set<string>();
  readonly #contents = new Map<string, string>();
  readonly #bases = new Map<string, string>();
  readonly #storedAt = new Map<string, Date>();

  constructor(store: SecretStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  describe(secretId: string) {
    return this.#store.describe(secretId);
  }

  async read(secretId: string, which: { versionId: string } | { stage: string }) {
    if ('stage' in which) {
      return this.#store.read(secretId, which);
    }
    const known = this.#versions.get(key(secretId, which.versionId));
    if (known !== undefined && known.until > this.#clock.now().getTime()) {
      return known.version;
    }
    const version = await this.#store.read(secretId, which);
    if (version !== undefined) {
      this.#remember(secretId, version);
    }
    return version;
  }

  /**
   * Reads a version with its date. One that this process has stored itself is remembered without a date, and a person may
   * have made it current since.
   */
  async readDated(secretId: string, versionId: string): Promise<SecretVersion | undefined> {
    const version = await this.read(secretId, { versionId });
    if (version === undefined || version.created !== undefined) return version;
    const dated = await this.#store.read(secretId, { versionId });
    if (dated !== undefined) this.#remember(secretId, dated);
    return dated ?? version;
  }

  async putPending(secretId: string, versionId: string, value: string, rotationToken?: string) {
    const result = await this.#store.putPending(secretId, versionId, value, rotationToken);
    if (result === 'stored') {
      // No date: only those of Secrets Manager may be compared with each other.
      this.#remember(secretId, { versionId, value, stages: [] });
      this.#storedAt.set(key(secretId, versionId), this.#clock.now());
    }
    return result;
  }

  moveCurrent(secretId: string, move: { to: string; from: string }) {
    return this.#store.moveCurrent(secretId, move);
  }

  removePending(secretId: string, versionId: string) {
    return this.#store.removePending(secretId, versionId);
  }

  tag(secretId: string, key: string, value: string) {
    return this.#store.tag(secretId, key, value);
  }

  listVersions(secretId: string) {
    return this.#store.listVersions(secretId);
  }

  /** Notes that the target has accepted a version. */
  noteProven(secretId: string, versionId: string): void {
    this.#proven.add(key(secretId, versionId));
  }

  /** Tells whether the target has accepted this version in this process since the rotation began. */
  isProven(secretId: string, versionId: string): boolean {
    return this.#proven.has(key(secretId, versionId));
  }

  /** Notes which content of the definition went into a version that this process has stored. */
  noteContent(secretId: string, versionId: string, mark: string): void {
    this.#contents.set(key(secretId, versionId), mark);
  }

  contentIn(secretId: string, versionId: string): string | undefined {
    return this.#contents.get(key(secretId, versionId));
  }

  /** Notes which current version a pending one is known to agree with. */
  noteBase(secretId: string, versionId: string, baseId: string): void {
    this.#bases.set(key(secretId, versionId), baseId);
  }

  baseOf(secretId: string, versionId: string): string | undefined {
    return this.#bases.get(key(secretId, versionId));
  }

  /** Gives the time at which this process has stored a version, by its own clock. */
  storedAt(secretId: string, versionId: string): Date | undefined {
    return this.#storedAt.get(key(secretId, versionId));
  }

  /** Drops everything known of a secret. */
  forget(secretId: string): void {
    for (const memory of [this.#versions, this.#proven, this.#contents, this.#bases, this.#storedAt]) {
      for (const known of memory.keys()) {
        if (known.startsWith(key(secretId, ''))) {
          memory.delete(known);
        }
      }
    }
  }

  #remember(secretId: string, version: SecretVersion): void {
    this.#versions.set(key(secretId, version.versionId), {
      version,
      until: this.#clock.now().getTime() + 120_000,
    });
  }
}

const key = (secretId: string, versionId: string): string => `${secretId}\n${versionId}`;
