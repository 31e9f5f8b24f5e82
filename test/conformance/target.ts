import type { TargetErrorCode } from '../../core/errors/rekey-error.ts';
import type { Rotator, TargetContext } from '../../core/rotator.ts';
import type { Strategy } from '../../core/secret/secret.ts';

/** An application user on the target, with an admin that has the documented permissions for it and no others. */
export interface Account<S extends object> {
  readonly secret: S;
  readonly admin: S;
}

/** A session of an application that is open while things happen to it. */
export interface LiveSession {
  /** Whether the target still answers on it. */
  alive(): Promise<boolean>;
  close(): Promise<void>;
}

/** One thing that goes wrong with the target as a whole, and how a rotator must name it. */
export interface Outage {
  readonly name: string;
  readonly code: TargetErrorCode;
  /** True where nothing is answered, so that only a limit of time ends the wait. */
  readonly silent?: boolean;
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** One permission that the admin may lack, and what the error must then name. */
interface MissingPermission<S extends object> {
  readonly name: string;
  readonly strategies: readonly Strategy[];
  readonly act: 'apply' | 'contain';
  readonly names: string;
  remove(account: Account<S>): Promise<void>;
  /** Only where the removal reaches further than this account. */
  restore?(): Promise<void>;
}

/**
 * What a secret type brings that no target can be asked about, for the part of the suite that is left then.
 * `test/conformance/drivers/<type>.ts` exports it as `start`.
 */
export interface ValueUnderTest<S extends object> {
  readonly rotator: Rotator<S>;
  /** Secrets of every form that the type's page shows, with names and values that are hard to handle. */
  readonly secrets: Readonly<Record<string, S>>;
  /** The keys of its JSON that a rotation replaces. */
  rotated(secret: S): readonly string[];
}

/**
 * What a secret type brings to the conformance suite: its real server and a way to look at it that shares nothing
 * with the rotator. `test/conformance/drivers/<type>.ts` exports it as `start`. Where the server does not come with
 * `npm install`, it exports `missing` as well: why it cannot be started on this machine, with the command that helps.
 */
export interface TargetUnderTest<S extends object> {
  readonly rotator: Rotator<S>;
  /** Product and version; it must begin with one of the registry's `verifiedOn`. */
  readonly server: string;
  /**
   * True where `server` is in the place of the product, of which no server can be had outside of AWS. Then nothing was
   * verified on the product, and the registry's `verifiedOn` stays empty.
   */
  readonly standsIn?: boolean;
  readonly context: Omit<TargetContext, 'finding'>;
  /** A new user; the name gets a unique ending unless it must be `exact`, then an earlier user of that name goes. */
  createAccount(options?: { name?: string; exact?: boolean; password?: string }): Promise<Account<S>>;
  /** The same credential with another password. */
  withPassword(secret: S, password: string): S;
  passwordOf(secret: S): string;
  /** Logs in as an application would. */
  logsIn(secret: S): Promise<boolean>;
  openSession(secret: S): Promise<LiveSession>;
  /** What the target keeps of some password, to be refused as a password; left out where the target issues them. */
  readonly verifier?: string;
  /** Names and passwords that are hard to handle but allowed by the target. */
  readonly awkward: { readonly names: readonly string[]; readonly passwords: readonly string[] };
  readonly outages: readonly Outage[];
  readonly missingPermissions: readonly MissingPermission<S>[];
  /** Everything the target has logged. */
  readLog(): Promise<string>;
  /** Something of a rotation that {@link readLog} must hold, to show that the target did log what was done. */
  readonly logged: string;
  /**
   * How many milliseconds after a rotation a session must begin for containment to tell it from those of the older
   * password of the same user; undefined where it never can. Default: 0.
   */
  sessionsToldApart?(strategy: Strategy): number | undefined;
  /**
   * How the target is reached through a line at `port` of this machine: the rotator that goes through it, and what a
   * secret looks like there. Default: the same rotator, and the secret with this `port`.
   */
  through?(port: number): { readonly rotator: Rotator<S>; secret(secret: S): S };
  /** The port of this machine that a line must lead to. Default: the secret's own. */
  readonly port?: number;
  /**
   * Milliseconds after which a retry no longer takes an earlier try of the same step to be alive, where the target issues
   * the credential: the driver makes its rotator with a short one. Default: 0.
   */
  readonly settlesAfterMs?: number;
  /** Keys of the JSON that a rotation may change. Default: `username` and `password`. */
  readonly changing?: readonly string[];
  /** False where the target does not tell how many sessions ended. Default: true. */
  readonly countsSessions?: boolean;
  /** What a function as it is deployed needs to reach this target, which knows nothing of the suite. Default: nothing. */
  readonly deployed?: {
    readonly environment: Readonly<Record<string, string>>;
    /** Default: those of the context. */
    readonly certificateAuthorities?: readonly string[];
    /** Default: the same as without. */
    createAccount?(): Promise<Account<S>>;
    logsIn?(secret: S): Promise<boolean>;
  };
  /** True when users of this target cannot change their own password, so that only an admin repairs. */
  readonly adminOnly?: boolean;
  /** True where an API sets the password and asks for no login, so that a rotation succeeds whatever came before. */
  readonly needsNoLogin?: boolean;
  stop(): Promise<void>;
}
