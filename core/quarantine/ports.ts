import type { QuarantineState } from './state.ts';

/** The memory of quarantined principals. */
export interface QuarantineStore {
  /** Reads the state of a principal, never an old one. Version 0 is that of a principal of which nothing is known. */
  read(principal: string): Promise<{ readonly version: number; readonly state: QuarantineState }>;
  /** Replaces the state where it still has this version; false where somebody was faster. */
  replace(principal: string, version: number, state: QuarantineState): Promise<boolean>;
}

/** The roles and users of IAM that may be quarantined. */
export interface Principals {
  /** Reads the ARN and the tags of a role or user; undefined where there is none of this name. */
  describe(
    principal: string,
  ): Promise<{ readonly arn: string; readonly tags: Readonly<Record<string, string>> } | undefined>;
  /** Writes the policy of the quarantine, over the one before. */
  deny(principal: string, document: string): Promise<void>;
  /** Takes the policy of the quarantine away, if it is there. */
  release(principal: string): Promise<void>;
}
