import type { AskingCall } from '../../../core/trail/attribution.ts';
import type { Claim } from '../../../core/trail/claim.ts';
import type { LastRead, Pair, ReadEvidence, TrailMemory } from '../../../core/trail/ports.ts';

/** The memory of a trail without a table; `test/local` holds the table to the same. */
export class PlainTrailMemory implements TrailMemory {
  readonly #pairs = new Map<
    string,
    { claims: Map<string, Claim>; calls: Map<string, AskingCall>; told: Set<string> }
  >();
  readonly reads = new Map<string, LastRead>();
  /** Writes of reads, as many as there were calls. */
  flushes = 0;
  since: string | undefined;
  until: string | undefined;
  /** Calls of {@link tell} that are lost. */
  forgets = 0;

  #at(pair: string) {
    const known = this.#pairs.get(pair) ?? { claims: new Map(), calls: new Map(), told: new Set<string>() };
    this.#pairs.set(pair, known);
    return known;
  }

  #pair(pair: string): Pair {
    const { claims, calls, told } = this.#at(pair);
    return { claims: [...claims.values()], calls: [...calls.values()], told: new Set(told) };
  }

  async claim(pair: string, claim: Claim): Promise<Pair> {
    this.#at(pair).claims.set(claim.eventId, claim);
    return this.#pair(pair);
  }

  async call(pair: string, call: AskingCall): Promise<Pair> {
    this.#at(pair).calls.set(call.id, call);
    return this.#pair(pair);
  }

  async tell(pair: string, id: string): Promise<void> {
    this.forgets -= 1;
    if (this.forgets < 0) this.#at(pair).told.add(id);
  }

  async read(reads: readonly LastRead[]): Promise<void> {
    this.flushes += 1;
    for (const read of reads) {
      const key = `${read.identity} ${read.secret}`;
      if ((this.reads.get(key)?.time ?? '') < read.time) this.reads.set(key, read);
    }
  }

  async reached(time: string): Promise<void> {
    if (this.since === undefined || time < this.since) this.since = time;
    if (this.until === undefined || time > this.until) this.until = time;
  }

  async readBy(identity: string): Promise<ReadEvidence> {
    return {
      ...(this.since !== undefined && { since: this.since }),
      ...(this.until !== undefined && { until: this.until }),
      reads: [...this.reads.values()].filter((read) => read.identity === identity),
    };
  }
}
