import type { Setting } from './setting.ts';

/** Parts of a policy that are asked for or are not. */
export const requirements = [
  'tls',
  'customerKeys',
  'account',
  'responders',
  'auditors',
  'notifications',
  'separateDuties',
  'separateEnvironments',
  'brake',
  'lifecycle',
  'fingerprints',
  'purpose',
  'consumers',
  'reasons',
  'uninterruptedRotation',
  'identityFirst',
] as const;
export type Requirement = (typeof requirements)[number];

/** The demands of a policy. One that is left out is not made. */
export interface Demands {
  /** Most days between two rotations. */
  readonly rotateWithinDays?: number | undefined;
  /** Reason for which `rotateWithinDays` is what it is: the targeted risk analysis of PCI DSS 12.3.1, say. */
  readonly cadenceReason?: string | undefined;
  /** Most days until a secret that has not rotated counts as overdue. */
  readonly maximumAgeDays?: number | undefined;
  /** Most days between two replacements of a secret that nothing rotates. */
  readonly replaceWithinDays?: number | undefined;
  /** Most hours for which a replaced credential works on. */
  readonly overlapHours?: number | undefined;
  /** Fewest bits of entropy of a generated password. */
  readonly passwordBits?: number | undefined;
  /** Fewest days for which records of the audit log are locked. */
  readonly auditRetentionDays?: number | undefined;
  /** Most days for which a rule may be waived. */
  readonly waiverDays?: number | undefined;
  /** Secret types that may be used. */
  readonly types?: readonly string[] | undefined;
  /** Strategies that may be used. */
  readonly strategies?: readonly string[] | undefined;
  /** Environment in which a definition must be before it is here. */
  readonly promotion?: Promotion | undefined;
  /** Rules that tell the value of a secret from other texts. */
  readonly detection?: Detection | undefined;
  readonly require: Readonly<Partial<Record<Requirement, boolean>>>;
}

/** The way of a definition from one environment to the next. */
export interface Promotion {
  /** Name of the environment before this one. */
  readonly from: string;
}

/** Rules that say what counts as a secret. */
export interface Detection {
  /** Regular expressions for names of secrets beside the usual ones, whatever their case. */
  readonly names: readonly string[];
  /** Bits of entropy by character from which a long text counts as a value, about 3.5 to 4.5. */
  readonly entropyBits: number;
  /** Fewest characters of such a text. */
  readonly minimumLength: number;
}

export const stages = ['development', 'staging', 'production'] as const;
/** Weight of an environment, by which the defaults of its policy go. */
export type Stage = (typeof stages)[number];

const always = { separateEnvironments: true, tls: true } as const;
const shared = { waiverDays: 90, passwordBits: 96, replaceWithinDays: 365 } as const;

/** Detection by the words that secrets are called by anywhere, by forms that are known for certain, and by entropy. */
export const usualDetection: Detection = { names: [], entropyBits: 4, minimumLength: 20 };

/**
 * Demands of each stage, where a policy says nothing else. Ninety days are what PCI DSS asks of passwords that stand alone, and what AWS
 * Config looks for by default; a year of records is what PCI DSS 10.5.1 asks for.
 * @see https://docs.aws.amazon.com/config/latest/developerguide/secretsmanager-secret-periodic-rotation.html
 */
export const stageDemands: Readonly<Record<Stage, Demands>> = {
  development: {
    ...shared,
    rotateWithinDays: 180,
    maximumAgeDays: 200,
    overlapHours: 336,
    auditRetentionDays: 1,
    detection: usualDetection,
    require: { ...always, consumers: false },
  },
  staging: {
    ...shared,
    rotateWithinDays: 90,
    maximumAgeDays: 100,
    overlapHours: 168,
    auditRetentionDays: 30,
    detection: usualDetection,
    require: {
      ...always,
      account: true,
      customerKeys: true,
      notifications: true,
      brake: true,
      reasons: true,
    },
  },
  production: {
    ...shared,
    rotateWithinDays: 90,
    maximumAgeDays: 100,
    overlapHours: 72,
    auditRetentionDays: 365,
    detection: usualDetection,
    require: {
      ...always,
      account: true,
      customerKeys: true,
      responders: true,
      auditors: true,
      notifications: true,
      separateDuties: true,
      brake: true,
      lifecycle: true,
      fingerprints: true,
      purpose: true,
      consumers: true,
      reasons: true,
      uninterruptedRotation: true,
      identityFirst: true,
    },
  },
};

/** One demand by name; a requirement is `require.<name>`. */
export type DemandName = Exclude<keyof Demands, 'require'> | `require.${Requirement}`;

/** The value that a demand has. */
export type DemandValue<Name extends DemandName> = Name extends `require.${string}`
  ? true
  : Name extends keyof Demands
    ? NonNullable<Demands[Name]>
    : never;

/** A layer of a policy: what it demands, and the place where it stands. */
export interface Layer {
  readonly from: string;
  readonly demands: Partial<Demands>;
}

/** Gives a demand with the innermost layer that speaks of it; `undefined` where that denies it. */
export function demandOf<Name extends DemandName>(
  name: Name,
  layers: readonly Layer[],
): Setting<DemandValue<Name>> | undefined {
  const [, requirement] = /^require\.(.+)$/.exec(name) ?? [];
  for (const { from, demands } of layers.toReversed()) {
    const value =
      requirement === undefined
        ? demands[name as Exclude<DemandName, `require.${string}`>]
        : demands.require?.[requirement as Requirement];
    if (value !== undefined) {
      return value === false
        ? undefined
        : { value: value as DemandValue<Name>, from: from === 'default' ? from : `${from}.${name}` };
    }
  }
  return undefined;
}
