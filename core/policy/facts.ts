import type { Layer, Stage } from './demands.ts';
import type { Severity } from './rule.ts';
import type { Setting } from './setting.ts';

/** Facts that the rules know of one secret. Values are not among them. */
export interface SecretFacts {
  /** Path in the configuration, such as `environments.prod.secrets.orders`. */
  readonly path: string;
  /** Key in the configuration. */
  readonly key: string;
  /** Full name in Secrets Manager. */
  readonly name: string;
  readonly type: string;
  readonly strategy: string;
  readonly origin: 'created' | 'adopted';
  readonly owner: string;
  readonly purpose?: string | undefined;
  /** Day on which it ends, as `2027-03-31`. */
  readonly expires?: string | undefined;
  readonly consumers: readonly string[];
  readonly schedule: Setting<string>;
  /** Longest time between two rotations by that schedule, in days. */
  readonly rotatesWithinDays: number;
  readonly maximumAgeDays: Setting<number>;
  /** Hours for which the credential before the current one works on; absent where there is no overlap. */
  readonly overlapHours?: Setting<number> | undefined;
  /** Bits of entropy of its generated passwords; absent where the target makes the credential. */
  readonly passwordBits?: Setting<number> | undefined;
  readonly allowPlaintext: Setting<boolean>;
  /** True if a customer managed key encrypts it. */
  readonly hasCustomerKey: boolean;
  /** Fields of its JSON that the configuration writes; absent for adopted secrets. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  /** User and place of the credential, where the configuration tells them. */
  readonly login?: { readonly host: string; readonly port?: number; readonly username: string } | undefined;
}

/** Facts that the rules know of one environment. */
export interface EnvironmentFacts {
  readonly name: string;
  /** Path in the configuration, such as `environments.prod`. */
  readonly path: string;
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly auditRetentionDays: number;
  /** Number of failed secrets that engage a brake; 0 is no brake. */
  readonly brakeAfter: Setting<number>;
  /** True if somebody is told of alarms. */
  readonly notifies: boolean;
  /** Principals by the role that they may assume. */
  readonly access: Readonly<Record<string, readonly string[]>>;
  /** Key of IAM that names people's sessions; absent where they choose the names themselves. */
  readonly sessionName?: string | undefined;
  /** Modes of revocations that need a second person. */
  readonly approvedModes: readonly string[];
  readonly secrets: readonly SecretFacts[];
  /** Secrets that people replace, by their keys. */
  readonly manualSecrets: Readonly<Record<string, { readonly replaceEveryDays: number }>>;
  /** True if new secrets, their owners and their ends are recorded. */
  readonly hasLifecycle: boolean;
  /** True if a leaked value is found by its fingerprint. */
  readonly hasFingerprints: boolean;
  readonly policy: EnvironmentPolicy;
}

/** The policy that is in force for an environment. */
export interface EnvironmentPolicy {
  readonly stage: Setting<Stage>;
  /** Layers of demands, the defaults of the stage first; a later one overrides an earlier one. */
  readonly layers: readonly Layer[];
  /** Severities that differ from those of the rules, by rule; a later layer overrides an earlier one. */
  readonly severities: readonly {
    readonly from: string;
    readonly by: Readonly<Partial<Record<string, Severity | 'off'>>>;
  }[];
  readonly waivers: readonly Waiver[];
}

/** A person's decision to leave a rule broken until a day. */
export interface Waiver {
  /** Path in the configuration. */
  readonly path: string;
  readonly rule: string;
  /** Key of the secret that it is for. @default - the environment itself, and each of its secrets */
  readonly secret?: string | undefined;
  readonly reason: string;
  /** Last day on which it counts, as `2027-03-31`. */
  readonly until: string;
}
