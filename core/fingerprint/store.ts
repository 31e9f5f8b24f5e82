import type { Strategy } from '../secret/secret.ts';
import type { Match } from './lookup.ts';

/** Signs hashes with the environment's key, which KMS keeps. */
export interface MacKey {
  /**
   * Signs one hash.
   * @throws RekeyError `AccessDenied` | `KeyUnusable` | `Throttled` …, as KMS answers
   */
  sign(hash: string): Promise<string>;
}

/** A secret as the index knows it. */
export interface IndexedSecret {
  readonly arn: string;
  readonly name: string;
  readonly type: string;
  readonly strategy: Strategy;
  readonly owner: string;
  /** Time by which it was deleted, or looked after no more. */
  readonly goneBy?: Date;
}

/** Labels of a version at one time. */
export interface Standing {
  readonly labels: readonly string[];
  /** Time at which Secrets Manager was asked. An older answer changes nothing. */
  readonly seenAt: Date;
  /** Time by which the last label was lost; missing while there is one. */
  readonly replacedBy?: Date;
  /** Time at which the index forgets the version; missing while it has a label. */
  readonly forgetAt?: Date;
}

/** A version as the index knows it. */
export interface IndexedVersion extends Standing {
  readonly versionId: string;
  readonly created?: Date;
  /** Signed hashes of its values. */
  readonly macs: readonly string[];
}

/** A signed hash of a value, and the parts of the secret that held it. */
export interface SignedValue {
  readonly mac: string;
  readonly parts: readonly string[];
}

/** The index of fingerprints, as it is written. */
export interface FingerprintIndex {
  /** Reads what it knows of one secret. */
  secret(secretArn: string): Promise<IndexedSecret | undefined>;
  /** Lists every secret that it knows. */
  secrets(): Promise<readonly IndexedSecret[]>;
  /** Lists the versions of a secret that it knows. */
  versions(secretArn: string): Promise<readonly IndexedVersion[]>;
  /** Notes a secret, or notes it anew. */
  note(secret: IndexedSecret, forgetAt?: Date): Promise<void>;
  /**
   * Adds a version with its values. Twice is the same as once. The version comes last, so one that it knows is complete.
   */
  add(
    secretArn: string,
    version: Omit<IndexedVersion, 'macs'>,
    values: readonly SignedValue[],
  ): Promise<void>;
  /** Notes the labels of a version that it knows; an answer older than the last one changes nothing. */
  relabel(secretArn: string, version: IndexedVersion, standing: Standing): Promise<void>;
}

/** The index of fingerprints, as it is read: by point, never as a whole. */
export interface FingerprintLookup {
  /** Finds the versions that held a value. */
  find(mac: string): Promise<readonly Omit<Match, 'candidate'>[]>;
}

/** The number of candidates that may still be looked up. */
export interface LookupBudget {
  /**
   * Takes a number of candidates off, all or none.
   * @returns the seconds after which to try again, when there are too few left
   */
  take(candidates: number, now: Date): Promise<'taken' | { readonly retryAfterSeconds: number }>;
}
