import type { BrakeState, BrakeStore } from '../../../core/brake.ts';

/** The state of a brake in memory, with what was asked of it. */
export class MemoryBrake implements BrakeStore {
  version = 0;
  state: BrakeState | undefined;
  reads = 0;
  writes = 0;
  /** What every call ends with. */
  failure: Error | undefined;

  constructor(state?: BrakeState) {
    this.state = state;
  }

  async read() {
    this.reads += 1;
    if (this.failure !== undefined) throw this.failure;
    return { version: this.version, state: this.state };
  }

  async replace(version: number, state: BrakeState) {
    this.writes += 1;
    if (this.failure !== undefined) throw this.failure;
    if (version !== this.version) return false;
    [this.version, this.state] = [version + 1, state];
    return true;
  }
}
