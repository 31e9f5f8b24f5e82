import * as z from 'zod';
import { shortened } from '../errors/rekey-error.ts';

/**
 * Staging labels of Secrets Manager.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
 */
export const stages = { current: 'AWSCURRENT', pending: 'AWSPENDING', previous: 'AWSPREVIOUS' } as const;

/** Ways in which a rotation replaces a credential. */
export const strategies = ['single-user', 'alternating-users', 'dual-credential'] as const;
export type Strategy = (typeof strategies)[number];

/** The facts that Secrets Manager knows of a secret, values excluded. */
export interface SecretDescription {
  readonly arn: string;
  readonly name: string;
  readonly rotationEnabled: boolean;
  /** Version id → staging labels, for the versions that have any. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
  readonly lastRotated?: Date;
  readonly nextRotation?: Date;
  readonly rotationFunctionArn?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The AWS service that manages the secret, for example `rds`. */
  readonly owningService?: string;
  /** The region of the secret that this one is a replica of. */
  readonly replicaOf?: string;
  /** Copies of the secret in other regions. Absent where it has none. */
  readonly replicas?: readonly SecretReplica[];
}

/** A copy of a secret in another region. */
export interface SecretReplica {
  readonly region: string;
  /**
   * State of the copy as Secrets Manager tells of it: `InSync`, `InProgress` or `Failed`.
   * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicationStatusType.html
   */
  readonly status: string;
}

/** Lists the copies of a secret of which Secrets Manager does not say that they are in step. */
export const laggingReplicas = ({ replicas = [] }: Pick<SecretDescription, 'replicas'>) =>
  replicas.filter(({ status }) => status !== 'InSync');

/** One version of a secret with its value. */
export interface SecretVersion {
  readonly versionId: string;
  readonly value: string;
  readonly stages: readonly string[];
  readonly created?: Date;
}

/** Finds the version id that holds `label`, if any does. */
export function versionWith(
  description: Pick<SecretDescription, 'versions'>,
  label: string,
): string | undefined {
  return Object.entries(description.versions).find(([, labels]) => labels.includes(label))?.[0];
}

/**
 * Tells whether a current version became so by a rotation, and not by a person's hand. AWSPENDING stays on it until the next
 * rotation, or Secrets Manager has noted a rotation since it was made.
 */
export function wasRotated(
  { versions, lastRotated }: Pick<SecretDescription, 'versions' | 'lastRotated'>,
  versionId: string,
  { created }: Pick<SecretVersion, 'created'>,
): boolean {
  const pending = versions[versionId]?.includes(stages.pending) === true;
  return pending || (lastRotated !== undefined && created !== undefined && lastRotated >= created);
}

/**
 * Characters that an ARN may have.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
 */
const longestArn = 2_048;

/**
 * Fields that any secret's JSON may hold besides those of its type.
 * `masterarn` names the admin secret, as in AWS's own rotation functions; templates write `""` or `null` for none.
 */
export const commonSecretFields = { masterarn: z.string().max(longestArn).nullish() };

/** The longest name of a credential that records and the state of a workflow carry. */
const longestIdentity = 256;

/** Names a credential at a length that fits into records and the state of a workflow. A secret may hold a longer one. */
export const carriedName = (name: string): string => shortened(name, longestIdentity);
