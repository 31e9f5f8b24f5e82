import type { BrakeState, BrakeStore } from '../core/brake.ts';

/**
 * The brake as a step of a rotation asks it, which goes on without an answer rather than wait. The client is loaded with
 * the first question, which only a rotation that begins or fails asks.
 */
export class PromptBrakeStore implements BrakeStore {
  readonly #path: string;
  #store: Promise<BrakeStore> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async read() {
    return (await this.#opened()).read();
  }

  async replace(version: number, state: BrakeState) {
    return (await this.#opened()).replace(version, state);
  }

  #opened(): Promise<BrakeStore> {
    this.#store ??= this.#open();
    return this.#store;
  }

  async #open(): Promise<BrakeStore> {
    const { promptClient, SsmBrakeStore } = await import('./ssm-client.ts');
    return new SsmBrakeStore(promptClient(), this.#path);
  }
}
