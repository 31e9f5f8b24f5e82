import { pausedUntil } from '../core/deployed/pause.ts';
import { SecretError } from '../core/errors/rekey-error.ts';
import { hasExpired } from '../core/lifecycle/marks.ts';
import type { Cloud } from '../core/operator-ports.ts';
import type { SecretDefinition } from '../core/secret/definition.ts';
import { type SecretDescription, stages, versionWith } from '../core/secret/secret.ts';
import { RotationLog } from './function-log.ts';
import type { Tone } from './output.ts';

/** State of a secret's rotation. */
export type SecretState =
  | 'ok'
  | 'rotating'
  | 'rotation failed'
  | 'overdue'
  | 'paused'
  | 'rotation off'
  | 'ended'
  | 'not rotated yet'
  | 'missing'
  | 'not readable';

export const stateTones: Readonly<Record<SecretState, Tone>> = {
  ok: 'good',
  rotating: 'warn',
  'rotation failed': 'bad',
  overdue: 'bad',
  paused: 'warn',
  'rotation off': 'warn',
  ended: 'dim',
  'not rotated yet': 'warn',
  missing: 'bad',
  'not readable': 'warn',
};

/**
 * Gives the age up to which a pending version is a rotation under way, unless its function logged a failure. Rekey's own
 * functions end each of the four steps within a minute, or as long as the definition says.
 */
const rotatingForMs = ({ stepSeconds = 0 }: SecretDefinition) => Math.max(5 * 60, 2 * stepSeconds) * 1_000;

export interface SecretStatus {
  readonly definition: SecretDefinition;
  readonly state: SecretState;
  readonly description?: SecretDescription;
  /** The version of a rotation that has not ended. */
  readonly pendingVersionId?: string;
}

/** Finds the version of a rotation that began and has not ended. AWSPENDING then stands on another version than AWSCURRENT. */
export function pendingVersion(description: SecretDescription): string | undefined {
  const pending = versionWith(description, stages.pending);
  return pending === versionWith(description, stages.current) ? undefined : pending;
}

/**
 * Looks at one secret. `NextRotationDate` is the date on or before which the next rotation happens, so once it has
 * passed, the rotation is overdue. The log of the rotation function is asked where a rotation may be under way.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
 */
export async function statusOf(definition: SecretDefinition, cloud: Cloud, now: Date): Promise<SecretStatus> {
  const secrets = await cloud.secrets();
  let description: SecretDescription;
  try {
    description = await secrets.describe(definition.arn);
  } catch (error) {
    if (error instanceof SecretError && error.code === 'SecretMissing') {
      return { definition, state: 'missing' };
    }
    if (error instanceof SecretError && error.code === 'SecretAccessDenied') {
      return { definition, state: 'not readable' };
    }
    throw error;
  }
  if (hasExpired(description.tags)) return { definition, description, state: 'ended' };
  const pendingVersionId = pendingVersion(description);
  const rest = { definition, description, ...(pendingVersionId !== undefined && { pendingVersionId }) };
  if (pendingVersionId !== undefined) {
    const versions = await secrets.listVersions(definition.arn);
    const created = versions.find(({ versionId }) => versionId === pendingVersionId)?.created;
    const young = created !== undefined && now.getTime() - created.getTime() < rotatingForMs(definition);
    const underWay = young && !(await hasFailed(cloud, definition, pendingVersionId, created));
    return { ...rest, state: underWay ? 'rotating' : 'rotation failed' };
  }
  if (!description.rotationEnabled) {
    return { ...rest, state: 'rotation off' };
  }
  if (pausedUntil(description.tags, now) !== undefined) {
    return { ...rest, state: 'paused' };
  }
  const { nextRotation, lastRotated } = description;
  if (definition.content !== undefined && lastRotated === undefined) {
    return { ...rest, state: 'not rotated yet' };
  }
  return { ...rest, state: nextRotation !== undefined && nextRotation < now ? 'overdue' : 'ok' };
}

/** Tells whether the function's log ends with a failure of this version; false when the log cannot be read. */
async function hasFailed(
  cloud: Cloud,
  definition: SecretDefinition,
  versionId: string,
  created: Date,
): Promise<boolean> {
  try {
    const log = await RotationLog.open(cloud, definition);
    return (await log.standing(versionId, created)) !== undefined;
  } catch {
    return false;
  }
}

/** Looks at many secrets, some at a time, and keeps their order. */
export async function statusesOf(
  definitions: readonly SecretDefinition[],
  cloud: Cloud,
  now: Date,
  seen: (count: number) => void = () => {},
): Promise<readonly SecretStatus[]> {
  const statuses: SecretStatus[] = [];
  let count = 0;
  const queue = definitions.entries();
  // DescribeSecret rather than ListSecrets, which may lag behind by five minutes.
  const work = async () => {
    for (const [index, definition] of queue) {
      statuses[index] = await statusOf(definition, cloud, now);
      count += 1;
      seen(count);
    }
  };
  await Promise.all(Array.from({ length: Math.min(16, definitions.length) }, work));
  return statuses;
}
