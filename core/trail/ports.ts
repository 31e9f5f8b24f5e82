import type { AskingCall } from './attribution.ts';
import type { Claim } from './claim.ts';

/** A read of a secret by one principal, the last that the trail tells of. */
export interface LastRead {
  /** ARN of the role or user. */
  readonly identity: string;
  /** Name or ARN of the secret, as the caller gave it. */
  readonly secret: string;
  readonly time: string;
}

/** Halves of a pair that are known so far. */
export interface Pair {
  readonly claims: readonly Claim[];
  readonly calls: readonly AskingCall[];
  /** Ids of the events that told of a claim and its call. */
  readonly told: ReadonlySet<string>;
}

/** The reads of one principal that a trail tells of. */
export interface ReadEvidence {
  /** Time of the first call that was taken out of the trail; undefined where none was yet. */
  readonly since?: string;
  /** Time of the last one. */
  readonly until?: string;
  readonly reads: readonly Pick<LastRead, 'secret' | 'time'>[];
}

/** The memory of what a trail told: halves of pairs for a week, reads for 90 days. */
export interface TrailMemory {
  /** Keeps the word of a sender, and gives all that is known of the pair by then. The same one again is kept once. */
  claim(pair: string, claim: Claim): Promise<Pair>;
  /** Keeps a call, and gives all that is known of the pair by then. The same one again is kept once. */
  call(pair: string, call: AskingCall): Promise<Pair>;
  /** Notes that a claim and its call have been told of. */
  tell(pair: string, id: string): Promise<void>;
  /** Keeps reads; of one principal and secret, the latest stays. */
  read(reads: readonly LastRead[]): Promise<void>;
  /** Notes the time of a call up to which the trail has been read. */
  reached(time: string): Promise<void>;
  /** Finds what a role or user read. */
  readBy(identity: string): Promise<ReadEvidence>;
}

/** The files of a trail. */
export interface TrailFiles {
  /**
   * Opens a file. It is read piece by piece.
   * @param version - version of the object, where the bucket keeps several
   */
  open(key: string, version?: string): Promise<AsyncIterable<Uint8Array>>;
}
