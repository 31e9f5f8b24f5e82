import type { Policy } from '../iam/document.ts';

/** A secret as a region is asked for it. */
export interface SecretPlace {
  /** Name or ARN, as the manifest writes it. */
  readonly id: string;
  readonly region: string;
}

/** One version of a secret. Without label and id, it is the current one. */
export interface VersionPlace extends SecretPlace {
  readonly versionStage?: string;
  readonly versionId?: string;
}

/** The facts that Secrets Manager tells of a secret without its value. */
export interface KnownSecret {
  readonly arn: string;
  readonly name: string;
  /** Time at which its deletion was asked for; AWS deletes it at the end of the recovery window. */
  readonly deleted?: Date;
  readonly tags: Readonly<Record<string, string>>;
  /** Version id → staging labels, for the versions that have any. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
  /** KMS key as the secret names it. Absent: the account's own key of Secrets Manager. */
  readonly keyId?: string;
  readonly rotationEnabled: boolean;
  readonly created?: Date;
  readonly lastRotated?: Date;
  readonly lastChanged?: Date;
  readonly nextRotation?: Date;
}

/** Names of the keys in the JSON of a value, never what stands under them. */
export interface ValueShape {
  /** `json`: an object. `text`: something else. `binary`: no text. */
  readonly kind: 'json' | 'text' | 'binary';
  /** Paths of keys, each from the root: `['db', 'password']`. */
  readonly paths: readonly (readonly string[])[];
  /** True if there are more than were looked at. */
  readonly cut: boolean;
}

/** A grant of a KMS key. */
export interface KeyGrant {
  readonly grantee: string;
  readonly operations: readonly string[];
  /** Encryption context that a request must have, or must contain. */
  readonly context: Readonly<Record<string, string>>;
}

/** A KMS key that encrypts a secret. */
export interface EncryptionKey {
  readonly arn: string;
  /** State as KMS tells it, such as `Enabled`, `Disabled` or `PendingDeletion`. */
  readonly state: string;
  /** True for a key that AWS manages, whose policy lets the whole account in by way of its service. */
  readonly managedByAws: boolean;
  readonly policy: Policy;
  readonly grants: readonly KeyGrant[];
}

/** A role or user with all policies that decide what it may do. */
export interface KnownPrincipal {
  readonly kind: 'role' | 'user';
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly policies: readonly Policy[];
  readonly boundary?: Policy;
  /** True for a role of another account. Its policies cannot be read from here, and it counts as allowed everything. */
  readonly foreign?: true;
}

/** Facts on a secret that its deployment, or its owner, wrote down for Rekey. */
export interface KnownDefinition {
  /** Secret type of Rekey; undefined for a secret that people replace. */
  readonly type?: string;
  /** Last day on which it is to work, as `2027-03-31`. */
  readonly expires?: string;
  /** Days that a secret may go without a rotation or a replacement. */
  readonly maximumAgeDays?: number;
}

/** A revocation that no rotation has followed. */
export interface OpenRevocation {
  readonly since: string;
  /** `failed`, or `under way`. */
  readonly state: 'failed' | 'under way';
  readonly incident?: string;
}

/** The end of a trial of a credential at its target, from here. */
export type Trial =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'rejected'; readonly message: string }
  /** Nothing was proven. The target did not answer, or nobody can be asked about such a credential. */
  | { readonly outcome: 'unproven'; readonly message: string };

/** Tries a value at its target. It is given the value and hands back only what the target said. */
export type Prober = (value: string, type: string | undefined) => Promise<Trial>;

/**
 * The account that a preflight asks. No method gives out a value of a secret: {@link shapes} tells the names of keys, and
 * {@link tryOut} whether the target let somebody in.
 */
export interface PreflightCloud {
  /** Describes a secret; undefined where there is none. */
  secret(place: SecretPlace): Promise<KnownSecret | undefined>;
  /** Names the secrets of a region, deleted ones left out. */
  names(region: string): Promise<readonly string[]>;
  /** Reads the resource policy of a secret; undefined where it has none. */
  resourcePolicy(place: SecretPlace): Promise<Policy | undefined>;
  /**
   * Looks at the shape of values, many at a time. The answers are in the order of what was asked; one that failed is the error.
   */
  shapes(asked: readonly VersionPlace[]): Promise<readonly (ValueShape | Error)[]>;
  /** Tries the credential of a version at its target, once. */
  tryOut(place: VersionPlace, type: string | undefined): Promise<Trial>;
  /** Reads a KMS key with its policy and grants; undefined where there is none. */
  encryptionKey(keyId: string, region: string): Promise<EncryptionKey | undefined>;
  /** Reads a role of the caller's account; undefined where there is none. */
  role(name: string): Promise<KnownPrincipal | undefined>;
  /** Reads every role and user of the account. */
  principals(): Promise<readonly KnownPrincipal[]>;
}

/** Facts that an environment of Rekey knows besides. */
export interface PreflightEnvironment {
  /** Finds what was written down about a secret; undefined where it is none of the environment's. */
  definition(secret: Pick<KnownSecret, 'arn' | 'name'>): Promise<KnownDefinition | undefined>;
  /** Finds revocations that no rotation has followed, by the ARNs of their secrets. */
  openRevocations(): Promise<ReadonlyMap<string, OpenRevocation>>;
}
