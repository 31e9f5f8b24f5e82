import { type Step, steps } from '../../lambdas/rotation/event.ts';
import type { MemoryStore } from '../lambdas/rotation/memory-store.ts';

/** What runs a step, and hears of what Secrets Manager does around it. */
export interface Steps<O> {
  readonly arn: string;
  readonly store: MemoryStore;
  /** A rotation begins with this token. @default the store notes it, as RotateSecret does */
  readonly begin?: (token: string) => void;
  /** A rotation is over. @default the store notes it */
  readonly rotated?: () => void;
  invoke(event: { step: Step; token: string }, options: O): Promise<Error | undefined>;
}

/** Secrets Manager around one secret: it attempts a leftover again, from its first step, and begins a rotation where there is none. */
export class Rotations<O> {
  readonly #steps: Steps<O>;
  #token = '';
  #next = 0;
  #tokens = 0;

  constructor(given: Steps<O>) {
    this.#steps = given;
  }

  /** Runs the next step, and returns why it failed. */
  async step(options: O): Promise<Error | undefined> {
    const { store, arn, invoke } = this.#steps;
    const begin = this.#steps.begin ?? ((token) => store.begin(arn, token));
    const rotated = this.#steps.rotated ?? (() => store.noteRotated(arn));
    const pending = store.peek(arn, 'AWSPENDING')?.versionId;
    const unfinished = pending === store.peek(arn, 'AWSCURRENT')?.versionId ? undefined : pending;
    if (unfinished === undefined || unfinished !== this.#token) {
      this.#next = 0;
      if (unfinished === undefined) this.#tokens += 1;
      this.#token = unfinished ?? `token-${this.#tokens}`;
      if (unfinished === undefined) begin(this.#token);
    }
    const step = steps[this.#next] ?? 'createSecret';
    const failure = await invoke({ step, token: this.#token }, options);
    this.#next = failure === undefined ? this.#next + 1 : 0;
    if (this.#next === steps.length) {
      this.#token = '';
      rotated();
    }
    return failure;
  }

  /** Runs the steps that are left, or a rotation from its beginning, up to the first that fails. */
  async rotation(options: O): Promise<Error | undefined> {
    do {
      const failure = await this.step(options);
      if (failure !== undefined) return failure;
    } while (this.#token !== '');
    return undefined;
  }
}
