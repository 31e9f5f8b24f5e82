import type { Demands, Layer } from '../../core/policy/demands.ts';
import { stageDemands } from '../../core/policy/demands.ts';
import type { EnvironmentFacts, EnvironmentPolicy, SecretFacts } from '../../core/policy/facts.ts';
import type { Setting } from '../../core/policy/setting.ts';
import { passwordPolicy } from '../../core/secret/password.ts';
import { longestGapHours } from '../../core/secret/schedule.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry } from '../../rotators/registry.ts';
import { approvedModes } from './approvals.ts';
import { usualSchedule } from './expressions.ts';
import { hasLifecycle } from './lifecycle.ts';
import { passwordEnvironment, passwordsOf } from './passwords.ts';
import type { PolicyConfiguration } from './policy-schema.ts';
import type { Configuration, EnvironmentConfiguration, SecretConfiguration } from './schema.ts';
import { secretName } from './secret-rules.ts';

/**
 * Reads what a policy's rules need out of a configuration, each setting with the place that it comes from. A setting that has
 * its default's value counts as left out.
 */
export const policyFactsOf = (configuration: Configuration): EnvironmentFacts[] =>
  Object.entries(configuration.environments).map(([name, environment]) =>
    environmentFacts(name, environment, configuration.policy),
  );

/** Tells whether an environment has a policy, its own or that of the organization. */
export const hasPolicy = (
  { policy }: Pick<Configuration, 'policy'>,
  environment: Pick<EnvironmentConfiguration, 'policy'>,
): boolean => policy !== undefined || environment.policy !== undefined;

function environmentFacts(
  name: string,
  environment: EnvironmentConfiguration,
  organization: PolicyConfiguration | undefined,
): EnvironmentFacts {
  const path = `environments.${name}`;
  const { account, region, audit, rotation, notifications, secrets, manualSecrets } = environment;
  const { byOwner: _, sessionName, ...access } = environment.access;
  return {
    name,
    path,
    account,
    region,
    auditRetentionDays: audit.retentionDays,
    brakeAfter: {
      value: rotation.brakeAfter,
      from: unless(rotation.brakeAfter, 5, `${path}.rotation.brakeAfter`),
    },
    notifies: notifications.emails.length > 0 || notifications.topicArn !== undefined,
    access,
    approvedModes: approvedModes(environment.approvals),
    ...(sessionName !== undefined && { sessionName }),
    manualSecrets,
    hasLifecycle: hasLifecycle(environment),
    hasFingerprints: environment.fingerprints,
    secrets: Object.entries(secrets).map(([key, secret]) => secretFacts(name, key, secret, environment)),
    policy: policyOf(path, environment, organization),
  };
}

function policyOf(
  path: string,
  { policy }: EnvironmentConfiguration,
  organization: PolicyConfiguration | undefined,
): EnvironmentPolicy {
  const stage: EnvironmentPolicy['stage'] =
    policy === undefined
      ? { value: 'production', from: 'default' }
      : { value: policy.stage, from: `${path}.policy.stage` };
  const written: readonly [string, PolicyConfiguration | undefined][] = [
    ['policy', organization],
    [`${path}.policy`, policy],
  ];
  const layers: Layer[] = [
    { from: 'default', demands: stageDemands[stage.value] },
    ...written.flatMap(([from, demands]) =>
      demands === undefined ? [] : [{ from, demands: demands as Partial<Demands> }],
    ),
  ];
  return {
    stage,
    layers,
    severities: written.flatMap(([from, demands]) =>
      demands?.severity === undefined ? [] : [{ from: `${from}.severity`, by: demands.severity }],
    ),
    waivers: (policy?.waivers ?? []).map((waiver, index) => ({
      path: `${path}.policy.waivers.${index}`,
      ...waiver,
    })),
  };
}

function secretFacts(
  environmentName: string,
  key: string,
  secret: SecretConfiguration,
  environment: EnvironmentConfiguration,
): SecretFacts {
  const at = `environments.${environmentName}`;
  const path = `${at}.secrets.${key}`;
  const schedule = inherited(
    [secret.schedule, `${path}.schedule`],
    [environment.rotation.schedule, usualSchedule, `${at}.rotation.schedule`],
  );
  const { overlapHours } = environment.rotation;
  return {
    path,
    key,
    name: secretName(environmentName, secret),
    type: secret.type,
    strategy: secret.strategy,
    origin: secret.create === undefined ? 'adopted' : 'created',
    owner: secret.owner,
    purpose: secret.purpose,
    consumers: secret.consumers,
    schedule,
    rotatesWithinDays: longestGapHours(schedule.value) / 24,
    maximumAgeDays: inherited(
      [secret.maximumAgeDays, `${path}.maximumAgeDays`],
      [environment.rotation.maximumAgeDays, 45, `${at}.rotation.maximumAgeDays`],
    ),
    ...(secret.strategy === 'dual-credential' && {
      overlapHours: { value: overlapHours, from: unless(overlapHours, 24, `${at}.rotation.overlapHours`) },
    }),
    passwordBits: passwordBits(at, path, secret, environment),
    allowPlaintext: {
      value: secret.allowPlaintext,
      from: unless(secret.allowPlaintext, false, `${path}.allowPlaintext`),
    },
    hasCustomerKey: secret.create !== undefined || secret.encryptionKey !== undefined,
    fields: secret.create?.fields ?? {},
    login: loginOf(secret),
  };
}

const unless = <Value>(value: Value, usual: Value, from: string): string =>
  value === usual ? 'default' : from;

/** Picks a secret's own setting, or else that of its environment. */
function inherited<Value>(
  [own, ownPath]: readonly [Value | undefined, string],
  [shared, usual, sharedPath]: readonly [Value, Value, string],
): Setting<Value> {
  return own === undefined
    ? { value: shared, from: unless(shared, usual, sharedPath) }
    : { value: own, from: ownPath };
}

/** Reckons the entropy of the passwords that Rekey generates for a secret. Shortened or narrowed rules have less. */
function passwordBits(
  at: string,
  path: string,
  secret: SecretConfiguration,
  environment: EnvironmentConfiguration,
): Setting<number> | undefined {
  const entry: SecretTypeDescriptor = registry[secret.type];
  if (entry.issued || entry.foreignFunction) return undefined;
  const rules = passwordPolicy(passwordEnvironment(passwordsOf(environment, secret)));
  const { length, alphabets } =
    entry.narrowed?.(rules, { fields: secret.create?.fields, resources: secret.resources }) ?? rules;
  return {
    value: length * Math.log2(alphabets.join('').length),
    from:
      secret.passwords !== undefined
        ? `${path}.passwords`
        : Object.keys(environment.passwords).length > 0
          ? `${at}.passwords`
          : 'default',
  };
}

/** Reads the user and the place of a credential, as far as the configuration tells. */
function loginOf({ create, identity }: SecretConfiguration): SecretFacts['login'] {
  const { host, port, username } = create?.fields ?? identity ?? {};
  return typeof host === 'string' && typeof username === 'string'
    ? { host, username, ...(typeof port === 'number' && { port }) }
    : undefined;
}
