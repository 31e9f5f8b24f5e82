import type { SecretType } from '../../rotators/registry.ts';

type Json = Record<string, unknown>;

/** A secret of one type in the common deployment, and how its target is asked without Rekey. */
export interface Participant {
  readonly type: SecretType;
  readonly secret: string;
  /** How a revocation of it ends. */
  readonly revocation: 'Secret Revocation Succeeded' | 'Secret Revocation Unproven';
  /** Whether the target accepts this version; undefined where there is no target to ask. */
  accepts?(version: Json): Promise<boolean>;
  /** What of a version must be found nowhere but in Secrets Manager and the target. */
  secretOf(version: Json): string;
}
