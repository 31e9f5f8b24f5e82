import type * as z from 'zod';
import type { Credentials } from '../core/rotator.ts';
import type { PasswordPolicy } from '../core/secret/password.ts';
import type { Strategy } from '../core/secret/secret.ts';

/** Permissions for targets that are reached through an AWS API. */
export interface AwsAccess {
  /** Form of the ARNs that a secret's `resources` names, and an example to show in errors. */
  readonly resources: { readonly pattern: RegExp; readonly example: string };
  /** Actions of the rotation and of the containment function, on those resources. */
  readonly rotation: readonly string[];
  readonly containment: readonly string[];
  /**
   * Actions on those resources that could grant permissions. A function of its own holds them, which ends sessions and does
   * nothing else: it reads no secret, logs in nowhere, and takes no document from whoever calls it.
   */
  readonly sessionCutoff?: readonly string[];
  /**
   * Actions of the rotation function that set or remove tags of those resources. `keys` are the only tags that they may touch.
   */
  readonly tags?: { readonly actions: readonly string[]; readonly keys: string };
  /** Actions of both functions that IAM knows no resource for, and why they are harmless. */
  readonly anyResource?: { readonly actions: readonly string[]; readonly reason: string };
}

/** The APIs of AWS that types call beyond those that every function calls. */
export type AwsApi = 'rds' | 'redshift' | 'elasticache';

/** The facts of one secret type that the configuration, the documentation and the conformance suite need without its driver. */
export interface SecretTypeDescriptor {
  readonly title: string;
  readonly strategies: readonly Strategy[];
  /** Strategies that need an admin secret. */
  readonly needsAdmin: readonly Strategy[];
  /** True when Amazon RDS may run the target; its functions may then look up hosts through the RDS API. */
  readonly database: boolean;
  /** Products that the conformance suite runs on. None where they can be started only in AWS. */
  readonly verifiedOn: readonly string[];
  /** Access of its functions through AWS APIs, where the target is one. */
  readonly aws?: AwsAccess;
  /** APIs that its functions call; of a type with `resources`, those that the resources are of. */
  readonly apis?: readonly AwsApi[];
  /** Targets of its functions that only a network with a way to the internet reaches. */
  readonly needsInternet?: {
    readonly for: string;
    /** True where that may also be inside, and a secret with `allowPrivateAddresses` says that it is. */
    readonly unlessPrivate?: true;
  };
  /** True if nothing that Rekey can reach accepts or refuses its credentials. A revocation of one ends unproven. */
  readonly unverifiable?: true;
  /** True if its secrets are rotated by a function that is not Rekey's and that the configuration names. */
  readonly foreignFunction?: true;
  /** True if the target chooses its credentials, so that rules for passwords do not apply. */
  readonly issued?: true;
  /** True if the admin secret alone decides what can be made. Functions are not shared between secrets of different admins. */
  readonly adminDecides?: true;
  /** True if its admin sets passwords of the users that secrets name; see {@link Credentials.isAssigned}. */
  readonly usersByAdmin?: true;
  /** True if an API sets its passwords, and they are tried where the secret says. The deployment may name that place. */
  readonly triedAtHost?: true;
  /** Strategies that need a `host` in the JSON, where the type itself does without. */
  readonly needsHost?: readonly Strategy[];
  /** Seconds that one step or containment may take: the timeout of its functions. @default usualStepSeconds */
  readonly stepSeconds?: number;
  /** Keys of the credential where that is not `password`; configurations must leave them out. */
  readonly credential?: readonly string[];
  /** Rules for secrets of this type that Rekey creates. Absent where a secret must be there before. */
  readonly created?: CreatedSecrets;
  /**
   * Narrows the rules for passwords to what the target takes, as far as a configuration tells which one it is.
   * @throws RekeyError `PasswordPolicyInvalid` when nothing is left that the target takes
   */
  readonly narrowed?: (policy: PasswordPolicy, target: ConfiguredTarget) => PasswordPolicy;
  /** Longest password that the target takes, and the product that says so. @default the type shortens its own */
  readonly longestPassword?: { readonly characters: number; readonly of: string };
}

/**
 * Effect of the next rotation on a field that the configuration changes. `written`: it goes into the JSON. `moves`: the
 * credential goes to another place. `refused`: at synth.
 */
export type ContentEffect = 'written' | 'moves' | 'refused';

/** Fields in the JSON of a secret, as the configuration gives them. */
type Fields = Readonly<Record<string, unknown>>;

/** The facts that a configuration tells of the target of a secret. */
export interface ConfiguredTarget {
  /** Fields of a secret that Rekey creates. */
  readonly fields?: Fields | undefined;
  /** ARNs of the resources that its functions may change. */
  readonly resources?: readonly string[] | undefined;
}

/** Describes secrets of a type that Rekey creates. The JSON of an adopted one is its owner's, and no configuration changes it. */
export interface CreatedSecrets {
  /** Schema with which the functions read the JSON. */
  readonly schema: z.ZodType;
  /** Fields that the type knows in the JSON, and what a change of each does. A field that it does not know is written. */
  readonly changes: Readonly<Record<string, ContentEffect>>;
  /** Names the user that takes turns with `username`; throws where the product has no room for the name. */
  readonly alternate?: (username: string, fields: Fields) => string;
}

/** Effects of changes of an endpoint's fields. */
export const endpointChanges = { username: 'moves', host: 'moves', port: 'moves', ssl: 'moves' } as const;
/** Effects of changes of the credential's own fields. */
export const adminChanges = { password: 'refused', masterarn: 'refused' } as const;
/** Effects of changes of a database's fields. */
export const databaseChanges = {
  ...endpointChanges,
  engine: 'written',
  dbname: 'written',
  ...adminChanges,
} as const;
