import { daysBetween } from '../lifecycle/dates.ts';
import type { Examined, PolicyRule, Surroundings } from './define.ts';
import { type DemandName, demandOf } from './demands.ts';
import type { EnvironmentFacts, SecretFacts, Waiver } from './facts.ts';
import type { Severity, Violation } from './rule.ts';
import { type PolicyRuleId, policyRules } from './rules/index.ts';
import type { Setting } from './setting.ts';

/** The answer of a rule about one secret or environment. */
export interface Answer {
  readonly rule: PolicyRuleId;
  readonly severity: Severity;
  readonly environment: string;
  /** Key of the secret; absent where the rule is about the environment. */
  readonly secret?: string | undefined;
  /** Path of what the rule looked at. */
  readonly subject: string;
  /** The policy's demand, and where it stands; absent where it makes none. */
  readonly demand?: Setting<string> | undefined;
  readonly setting?: Setting<string> | undefined;
  readonly outcome: Outcome;
  readonly broken?: { readonly message: string; readonly fix: string } | undefined;
  readonly waiver?: Waiver | undefined;
}

/** Result of a rule at one place. `not asked`: the policy demands nothing of the kind, or turned the rule off. */
export type Outcome = 'met' | 'broken' | 'waived' | 'not asked';

/** Options of {@link examine}. */
export interface ExamineOptions {
  /** Day of the check, as `2026-11-28`; waivers end by it. */
  readonly today: string;
  /** Rules to go through. @default - all */
  readonly rules?: readonly PolicyRule<PolicyRuleId>[];
}

/**
 * Holds environments and their secrets to their policies, rule by rule. It gives an answer for each rule that applies,
 * also where it is met.
 *
 * @example
 * const answers = examine(environments, { today: '2026-11-28' });
 * violationsOf(answers); // [{ rule: 'RotationTooSeldom', subject: 'environments.prod.secrets.orders', … }]
 */
export function examine(
  environments: readonly EnvironmentFacts[],
  { today, rules = policyRules }: ExamineOptions,
): Answer[] {
  return environments.flatMap((environment) =>
    rules.flatMap((rule) => {
      const demand = demandOf(rule.goesBy, environment.policy.layers);
      const about = { environment, environments, demandedBy: demand?.from ?? 'default', today };
      const at = (subject: SecretFacts | EnvironmentFacts, examined: Examined | undefined) => {
        if (demand !== undefined && examined === undefined) return [];
        return [answer(rule, subject, environment, demand, examined, about)];
      };
      // The rule was defined with the type of its own demand.
      const value = demand?.value as never;
      return rule.scope === 'environment'
        ? at(environment, demand && rule.examine(environment, value, about))
        : environment.secrets.flatMap((secret) => at(secret, demand && rule.examine(secret, value, about)));
    }),
  );
}

/** Lists what is broken and not waived, errors first. */
export const violationsOf = (answers: readonly Answer[]): Violation<PolicyRuleId>[] =>
  answers
    .flatMap(({ rule, severity, subject, outcome, broken }) =>
      outcome === 'broken' && broken !== undefined ? [{ rule, severity, subject, ...broken }] : [],
    )
    .sort((one, other) => Number(one.severity === 'warning') - Number(other.severity === 'warning'));

function answer(
  rule: PolicyRule<PolicyRuleId>,
  subject: SecretFacts | EnvironmentFacts,
  { name, policy }: EnvironmentFacts,
  demand: Setting<unknown> | undefined,
  examined: Examined | undefined,
  { today }: Surroundings,
): Answer {
  const secret = 'key' in subject ? subject.key : undefined;
  const severity = policy.severities.findLast(({ by }) => by[rule.id] !== undefined)?.by[rule.id];
  const waiver = policy.waivers.find(
    (one) =>
      one.rule === rule.id &&
      one.until >= today &&
      isShortEnough(one, policy, today) &&
      (one.secret === undefined || one.secret === secret),
  );
  const isAsked = demand !== undefined && severity !== 'off';
  const isBroken = isAsked && examined?.broken !== undefined;
  return {
    rule: rule.id,
    severity: severity === undefined || severity === 'off' ? rule.severity : severity,
    environment: name,
    ...(secret !== undefined && { secret }),
    subject: subject.path,
    ...(demand !== undefined && { demand: { value: inWords(rule.goesBy, demand.value), from: demand.from } }),
    ...(examined !== undefined && { setting: { value: examined.setting, from: examined.from } }),
    outcome: !isAsked ? 'not asked' : !isBroken ? 'met' : waiver === undefined ? 'broken' : 'waived',
    ...(isBroken && { broken: examined?.broken }),
    ...(isBroken && waiver !== undefined && { waiver }),
  };
}

/** Tells whether a waiver ends soon enough to count at all. */
function isShortEnough({ until }: Waiver, { layers }: EnvironmentFacts['policy'], today: string): boolean {
  const most = demandOf('waiverDays', layers)?.value;
  return most === undefined || daysBetween(today, until) <= most;
}

const units: Readonly<Partial<Record<DemandName, string>>> = {
  rotateWithinDays: 'days at most',
  maximumAgeDays: 'days at most',
  waiverDays: 'days at most',
  replaceWithinDays: 'days at most',
  overlapHours: 'hours at most',
  passwordBits: 'bits at least',
  auditRetentionDays: 'days at least',
};

/** Writes a demand as a person reads it. */
function inWords(name: DemandName, value: unknown): string {
  if (value === true) return 'yes';
  if (Array.isArray(value)) return value.join(', ') || 'none';
  if (typeof value === 'object' && value !== null) {
    return 'from' in value ? `from ${String(value.from)}` : 'by name, form and entropy';
  }
  return [String(value), ...(units[name] === undefined ? [] : [units[name]])].join(' ');
}
