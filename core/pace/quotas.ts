import { intervalUs, type Pace } from './token-bucket.ts';

/** A quota of AWS on how often something is called in one account and region. */
export interface Quota {
  /** The service, and what counts towards the quota. */
  readonly of: string;
  /** Calls a second in the long run, in the region that has least. */
  readonly perSecond: number;
  /** Calls that may come at once. @default as many as in a second */
  readonly burst?: number;
  /** AWS raises it on request. */
  readonly adjustable: boolean;
  readonly source: string;
}

const secretsManager = 'https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html';
const stepFunctions = 'https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html';

/**
 * Published quotas that a revocation of many secrets meets, as of November 2026. Where regions differ the lowest stands; where
 * AWS's pages differ, the lower one does: DescribeSecret and GetSecretValue have 10,000 together by an older page, and 40,000 and
 * 10,000 by the announcement of March 2025.
 */
export const quotas = {
  secretWrites: {
    of: 'Secrets Manager: PutSecretValue, UpdateSecret, UpdateSecretVersionStage and replication together',
    perSecond: 50,
    adjustable: false,
    source: secretsManager,
  },
  secretRotations: {
    of: 'Secrets Manager: RotateSecret and CancelRotateSecret together',
    perSecond: 50,
    adjustable: false,
    source: secretsManager,
  },
  secretVersionLists: {
    of: 'Secrets Manager: ListSecretVersionIds',
    perSecond: 50,
    adjustable: false,
    source: secretsManager,
  },
  secretReads: {
    of: 'Secrets Manager: DescribeSecret and GetSecretValue together',
    perSecond: 10_000,
    adjustable: false,
    source: secretsManager,
  },
  parameterReads: {
    of: 'Systems Manager: GetParameter, GetParameters and GetParametersByPath together, without higher throughput',
    perSecond: 40,
    adjustable: true,
    source: 'https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm',
  },
  keyUses: {
    of: 'KMS: cryptographic operations by symmetric keys',
    perSecond: 10_000,
    adjustable: true,
    source: 'https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html',
  },
  eventPuts: {
    of: 'EventBridge: PutEvents',
    perSecond: 400,
    adjustable: true,
    source: 'https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html',
  },
  transitions: {
    of: 'Step Functions: state transitions of standard workflows',
    perSecond: 500,
    burst: 800,
    adjustable: true,
    source: stepFunctions,
  },
  executionStarts: {
    of: 'Step Functions: StartExecution of standard workflows',
    perSecond: 150,
    burst: 800,
    adjustable: true,
    source: stepFunctions,
  },
  tableWrites: {
    of: 'DynamoDB: writes of one item, which are those of one partition',
    perSecond: 1_000,
    adjustable: false,
    source: 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html',
  },
} as const satisfies Readonly<Record<string, Quota>>;

export type QuotaName = keyof typeof quotas;

/** Quotas on how much may run at once. */
export const atOnce = {
  /** Functions of an account in a region. A new account has less, as few as 10; AWS raises it with use. */
  functions: {
    usual: 1_000,
    newAccount: 10,
    source: 'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html',
  },
  /** New environments of one function in ten seconds. */
  functionScaling: {
    usual: 1_000,
    source: 'https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html',
  },
  /** Children of one distributed Map. */
  children: {
    usual: 10_000,
    source: 'https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html',
  },
} as const;

/** The parts of a revocation that make calls of AWS. */
export type Operation = 'contain' | 'rotate' | 'verify' | 'sweep';

/**
 * Calls that each part makes for one secret of which one version leaked. Its type logs in to a target of its own. They are
 * counted by a test that runs the parts. `rotate` has the call of RotateSecret, the look whether it is done, and the four
 * steps of the function, each in an environment of its own. Each value that is read takes one use of a key, and one that is
 * stored takes two.
 */
export const callsOf: Readonly<Record<Operation, Readonly<Partial<Record<QuotaName, number>>>>> = {
  contain: { secretReads: 3, keyUses: 2, eventPuts: 1 },
  rotate: {
    secretWrites: 2,
    secretRotations: 1,
    secretReads: 12,
    parameterReads: 3,
    keyUses: 8,
    eventPuts: 2,
  },
  verify: { secretReads: 3, secretVersionLists: 1, keyUses: 2 },
  sweep: { secretReads: 3, secretVersionLists: 1, keyUses: 2, eventPuts: 1 },
};

/** The operations that quotas allow in a second, and the quota that binds first. */
export interface Ceiling {
  readonly perSecond: number;
  readonly by: QuotaName;
}

/**
 * Finds the quota that binds first, of those that some calls count towards.
 * @param calls - calls for one secret
 * @param spare - quotas that are left out
 */
export function ceilingOf(
  calls: Readonly<Partial<Record<QuotaName, number>>>,
  spare: ReadonlySet<QuotaName> = new Set(),
): Ceiling | undefined {
  const names = (Object.keys(calls) as QuotaName[]).filter(
    (name) => !spare.has(name) && (calls[name] ?? 0) > 0,
  );
  return names
    .map((by) => ({ by, perSecond: quotas[by].perSecond / (calls[by] ?? 1) }))
    .toSorted((a, b) => a.perSecond - b.perSecond)[0];
}

/**
 * Quotas that hold no rotation up, mostly. The workflow goes on without a definition, and a rotation with the JSON that is
 * there. A created secret with an admin secret needs its definition, though, and is tried again where that is throttled.
 */
export const doneWithout: ReadonlySet<QuotaName> = new Set(['parameterReads']);

/** Part of a quota that an emergency takes; the rest is for scheduled rotations, deploys and other applications. */
const share = 0.8;

/**
 * The pace of rotations in an emergency, for all workers of an account and region together. In no second it goes beyond what the
 * quotas allow: `burst + ratePerSecond` of it is their ceiling.
 */
export const rotationPace: Pace = paceBelow(ceilingOf(callsOf.rotate, doneWithout)?.perSecond ?? 1);

function paceBelow(perSecond: number): Pace {
  const ratePerSecond = Math.max(1, Math.floor(perSecond * share));
  return { ratePerSecond, burst: Math.max(1, Math.floor(perSecond - ratePerSecond)) };
}

/**
 * Computes the pace of rotations where a deployment names a rate of its own.
 * @param ratePerSecond - starts in a second. @default - as many as AWS's quotas allow
 */
export function rotationPaceAt(ratePerSecond?: number): Pace {
  if (ratePerSecond === undefined) return rotationPace;
  // Whoever asks for a slow pace wants no burst that is faster.
  return { ratePerSecond, burst: Math.max(1, Math.min(rotationPace.burst, Math.floor(ratePerSecond))) };
}

/** Seconds that a pace takes to start a number of operations. */
export function secondsFor(operations: number, pace: Pace): number {
  return (Math.max(0, operations - pace.burst) * intervalUs(pace)) / 1_000_000;
}
