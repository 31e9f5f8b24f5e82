/** A list of what must be ended again, last started first. It is safe to run at any time and more than once. */
export class Cleanup {
  readonly #actions: (() => Promise<unknown>)[] = [];

  add(action: () => Promise<unknown>): void {
    this.#actions.push(action);
  }

  async run(): Promise<void> {
    for (let action = this.#actions.pop(); action !== undefined; action = this.#actions.pop()) {
      // One thing that cannot be ended must not keep the others alive.
      await action().catch((error: unknown) => console.error(error instanceof Error ? error.message : error));
    }
  }
}
