import type { RuleDescription, Severity } from '../policy/rule.ts';
import type { ReferenceFacts } from './facts.ts';

/** Weight of what a check says. `info` is shown and decides nothing. */
export type ProofSeverity = Severity | 'info';

/** The description of a check, for reports, SARIF and the documents. */
export type ProofDescription<Id extends string = string> = Omit<RuleDescription<Id>, 'severity'> & {
  readonly severity: ProofSeverity;
  /** True if the check says that something was not proven, rather than wrong. */
  readonly unproven?: true;
};

/** The settings of a preflight. */
export interface ProofSettings {
  /** Principals that may read one secret before that is too many. */
  readonly maximumReaders: number;
  /** True if credentials were to be tried at their targets. */
  readonly probe: boolean;
}

/**
 * Settings where nothing else is said. An account has about ten roles of administrators, pipelines and AWS IAM Identity Center
 * that may read everything, and a secret has a handful of consumers.
 */
export const usualProof: ProofSettings = { maximumReaders: 25, probe: false };

/** A remark of a check on one reference. */
export interface Remark {
  /** Sentence with the thing, its setting and the limit. It holds no value of a secret. */
  readonly message: string;
  /** Command or step that mends it. */
  readonly fix: string;
}

/** A check: what it asks of a reference, and how it is seen. */
export interface ProofCheck<Id extends string = string> {
  readonly description: ProofDescription<Id>;
  readonly check: (facts: ReferenceFacts, settings: ProofSettings) => Iterable<Remark>;
}
