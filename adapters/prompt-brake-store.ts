import type { BrakeState, BrakeStore } from '../core/brake.ts';

/** The brake for a step of a rotation, which goes on without an answer rather than wait. */
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
    const { promptClient, SsmBrakeStore } = await import('./prompt-ssm.ts');
    return new SsmBrakeStore(promptClient(), this.#path);
  }
}
