import { type Demands, type Layer, type Stage, stageDemands } from '../../../core/policy/demands.ts';
import { type Answer, examine } from '../../../core/policy/examine.ts';
import type { EnvironmentFacts, EnvironmentPolicy, SecretFacts } from '../../../core/policy/facts.ts';
import type { PolicyRuleId } from '../../../core/policy/rules/index.ts';

export const today = '2026-11-28';

/** A secret that breaks no rule of production. */
export function secretOf(changes: Partial<SecretFacts> = {}, environment = 'prod'): SecretFacts {
  const key = changes.key ?? 'orders';
  return {
    path: `environments.${environment}.secrets.${key}`,
    key,
    name: `/${environment}/${key}/db`,
    type: 'postgresql',
    strategy: 'alternating-users',
    origin: 'created',
    owner: 'team-orders',
    purpose: 'takes orders',
    consumers: ['orders-api'],
    schedule: { value: 'rate(30 days)', from: 'default' },
    rotatesWithinDays: 30,
    maximumAgeDays: { value: 45, from: 'default' },
    passwordBits: { value: 206, from: 'default' },
    allowPlaintext: { value: false, from: 'default' },
    hasCustomerKey: true,
    fields: { engine: 'postgres', host: `db.${environment}.internal`, username: 'orders' },
    login: { host: `db.${environment}.internal`, username: 'orders' },
    ...changes,
  };
}

/** Changes of an environment, and of its policy. */
export interface EnvironmentChanges extends Partial<Omit<EnvironmentFacts, 'policy'>> {
  readonly demands?: Partial<Demands>;
  readonly stage?: Stage;
  readonly policy?: Partial<EnvironmentPolicy>;
}

/** An environment that breaks no rule of production. */
export function environmentOf({
  demands,
  stage = 'production',
  policy,
  ...changes
}: EnvironmentChanges = {}) {
  const name = changes.name ?? 'prod';
  const own: Layer[] = demands === undefined ? [] : [{ from: `environments.${name}.policy`, demands }];
  const facts: EnvironmentFacts = {
    name,
    path: `environments.${name}`,
    account: '111122223333',
    region: 'eu-central-1',
    auditRetentionDays: 365,
    brakeAfter: { value: 5, from: 'default' },
    notifies: true,
    access: { operators: ['111122223333'], responders: ['444455556666'], auditors: ['777788889999'] },
    approvedModes: [],
    secrets: [secretOf({}, name)],
    manualSecrets: { licence: { replaceEveryDays: 365 } },
    hasLifecycle: true,
    hasFingerprints: true,
    ...changes,
    policy: {
      stage: { value: stage, from: 'default' },
      layers: [{ from: 'default', demands: stageDemands[stage] }, ...own],
      severities: [],
      waivers: [],
      ...policy,
    },
  };
  return facts;
}

/** Asks one rule about a secret of production. */
export const ofSecret = (
  rule: PolicyRuleId,
  changes: Partial<SecretFacts>,
  environment: EnvironmentChanges = {},
): Answer | undefined => ofEnvironment(rule, { ...environment, secrets: [secretOf(changes)] });

/** Asks one rule about an environment, among others. */
export const ofEnvironment = (
  rule: PolicyRuleId,
  changes: EnvironmentChanges,
  others: readonly EnvironmentFacts[] = [],
): Answer | undefined => {
  const environment = environmentOf(changes);
  return examine([environment, ...others], { today }).find(
    (answer) => answer.rule === rule && answer.environment === environment.name,
  );
};
