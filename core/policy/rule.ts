import type { Control } from './control.ts';

/** Weight of a violation: `error` stops a synth and a check, `warning` is shown and stops nothing. */
export type Severity = 'error' | 'warning';

/** The description of a rule, for reports, SARIF and the documents. */
export interface RuleDescription<Id extends string = string> {
  /** Name of the rule in words, such as `RotationMissing`; reports, waivers and documents use it. */
  readonly id: Id;
  readonly severity: Severity;
  /** Sentence that says what the rule asks for. */
  readonly demand: string;
  /** Sentence that says what goes wrong where it is not met. */
  readonly reason: string;
  /** Controls of frameworks that ask for the same. */
  readonly controls: readonly Control[];
}

/** A place where a rule is not met. */
export interface Violation<Id extends string = string> {
  readonly rule: Id;
  readonly severity: Severity;
  /** Place that breaks the rule: a path in the configuration, a construct's path, a resource's address. Never a value. */
  readonly subject: string;
  /** Sentence with the thing, its setting and the limit. It holds no value of a secret. */
  readonly message: string;
  /** Sentence that says what to do. */
  readonly fix: string;
}
