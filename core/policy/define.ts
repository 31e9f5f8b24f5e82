import type { DemandName, DemandValue } from './demands.ts';
import type { EnvironmentFacts, SecretFacts } from './facts.ts';
import type { RuleDescription } from './rule.ts';

/** The finding of a rule at one place: the setting that counts, and the fault in it, if any. */
export interface Examined {
  /** The setting as a person reads it, such as `every 30 days`. */
  readonly setting: string;
  /** Place that the setting comes from: a path in the configuration, or `default`. */
  readonly from: string;
  /** Sentences on the fault and on its remedy; absent where the rule is met. */
  readonly broken?: { readonly message: string; readonly fix: string } | undefined;
}

/** The surroundings of what a rule looks at. */
export interface Surroundings {
  readonly environment: EnvironmentFacts;
  /** Every environment of the configuration, this one included. */
  readonly environments: readonly EnvironmentFacts[];
  /** Place that the demand stands at, or `default`. */
  readonly demandedBy: string;
  /** Day of the check, as `2026-11-28`. */
  readonly today: string;
}

interface RuleOf<Id extends string, Name extends DemandName> extends RuleDescription<Id> {
  /** The demand of a policy that the rule goes by. The rule is asked only where that is made. */
  readonly goesBy: Name;
}

/** A rule about one secret. */
export interface SecretRule<Id extends string = string, Name extends DemandName = DemandName>
  extends RuleOf<Id, Name> {
  readonly scope: 'secret';
  /** Gives `undefined` where the rule does not apply to the secret. */
  readonly examine: (
    secret: SecretFacts,
    demand: DemandValue<Name>,
    surroundings: Surroundings,
  ) => Examined | undefined;
}

/** A rule about an environment. */
export interface EnvironmentRule<Id extends string = string, Name extends DemandName = DemandName>
  extends RuleOf<Id, Name> {
  readonly scope: 'environment';
  readonly examine: (
    environment: EnvironmentFacts,
    demand: DemandValue<Name>,
    surroundings: Surroundings,
  ) => Examined | undefined;
}

/** A rule of a policy, whatever it looks at and goes by. */
export type PolicyRule<Id extends string = string> = RuleOf<Id, DemandName> &
  (
    | { readonly scope: 'secret'; readonly examine: SecretRule<Id, never>['examine'] }
    | { readonly scope: 'environment'; readonly examine: EnvironmentRule<Id, never>['examine'] }
  );

/** Defines a rule about secrets, with its demand's type. */
export const secretRule = <const Id extends string, const Name extends DemandName>(
  rule: Omit<SecretRule<Id, Name>, 'scope'>,
): SecretRule<Id, Name> => ({ scope: 'secret', ...rule });

/** Defines a rule about environments, with its demand's type. */
export const environmentRule = <const Id extends string, const Name extends DemandName>(
  rule: Omit<EnvironmentRule<Id, Name>, 'scope'>,
): EnvironmentRule<Id, Name> => ({ scope: 'environment', ...rule });

/** Writes a number of days as a person reads it. */
export const days = (count: number): string =>
  `${Number(count.toFixed(1))} day${Number(count.toFixed(1)) === 1 ? '' : 's'}`;
