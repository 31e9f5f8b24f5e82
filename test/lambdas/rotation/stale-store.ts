import { SecretError } from '../../../core/errors/rekey-error.ts';
import type { SecretStore } from '../../../core/ports.ts';
import { stages, versionWith } from '../../../core/secret/secret.ts';
import type { MemoryStore } from './memory-store.ts';

/** How long a write may stay unseen, in milliseconds of the model's time. */
export const staleForMs = 2_000;

/** How many writes a single answer may lack. */
export const longestLag = 3;

/**
 * Secrets Manager as it documents itself: every operation is eventually consistent. Each read may answer as the secret
 * was some writes ago, another one each time; a label may be refused for where it was. After two seconds each write is seen.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
 */
export class StaleStore implements SecretStore {
  readonly #store: MemoryStore;
  readonly #lags: readonly number[];
  readonly #past: { readonly at: number; readonly store: MemoryStore }[] = [];
  #now = 0;
  #reads = 0;
  #stale = 0;

  /** @param lags - how many writes the first, the second … answer lacks, over and over */
  constructor(store: MemoryStore, lags: readonly number[]) {
    this.#store = store;
    this.#lags = lags;
    this.note();
  }

  /** Answers that lacked a write. */
  get staleAnswers(): number {
    return this.#stale;
  }

  /** Lets time go by, in which writes become visible. */
  readonly wait = async (ms: number): Promise<void> => {
    this.#now += ms;
  };

  /** To be called after each write to the store underneath that did not go through this one. */
  note(): void {
    if (this.#lags.every((lag) => lag === 0)) return;
    this.#past.push({ at: this.#now, store: this.#store.snapshot() });
  }

  describe(secretId: string) {
    return this.#view().describe(secretId);
  }

  read(secretId: string, which: { versionId: string } | { stage: string }) {
    return this.#view().read(secretId, which);
  }

  listVersions(secretId: string) {
    return this.#view().listVersions(secretId);
  }

  async removePending(secretId: string, versionId: string) {
    await this.#store.removePending(secretId, versionId);
    this.note();
  }

  async tag(secretId: string, key: string, value: string) {
    await this.#store.tag(secretId, key, value);
    this.note();
  }

  async putPending(secretId: string, versionId: string, value: string) {
    const result = await this.#store.putPending(secretId, versionId, value);
    this.note();
    return result;
  }

  async moveCurrent(secretId: string, move: { to: string; from: string }): Promise<void> {
    if (versionWith(await this.#view().describe(secretId), stages.current) !== move.from) {
      throw new SecretError('CurrentMoved', `${stages.current} is not on ${move.from}`);
    }
    await this.#store.moveCurrent(secretId, move);
    this.note();
  }

  #view(): MemoryStore {
    const lag = this.#lags[this.#reads % this.#lags.length] ?? 0;
    this.#reads += 1;
    const latest = this.#past.length - 1;
    const seenByAll = this.#past.findLastIndex(({ at }) => at + staleForMs <= this.#now);
    const index = Math.max(latest - lag, seenByAll, 0);
    if (index >= latest) return this.#store;
    this.#stale += 1;
    return this.#past[index]?.store ?? this.#store;
  }
}
