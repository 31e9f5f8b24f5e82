/** The place where plans are kept, as texts by their keys. */
export interface PlanStore {
  /** Keeps a text unless there is one already. @returns the text that is kept */
  keepFirst(key: string, text: string): Promise<string>;
  /** Reads a text; undefined where there is none. */
  read(key: string): Promise<string | undefined>;
}

/** The outcome for one secret of a plan. */
export interface SecretOutcome {
  readonly secretName: string;
  readonly outcome: 'succeeded' | 'unproven' | 'failed';
  /** Time at which its leaked credentials were seen to be refused. */
  readonly refusedAt?: string;
  /** Code of the error of one that failed. */
  readonly error?: string;
}

/** Outcomes for the secrets of plans. */
export interface OutcomeStore {
  /** Notes an outcome. Noted again, the later one counts. */
  note(requestId: string, outcome: SecretOutcome): Promise<void>;
  list(requestId: string): Promise<readonly SecretOutcome[]>;
}
