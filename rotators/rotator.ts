import type { z } from 'zod';
import type { TargetError } from '../core/errors.ts';
import type { PasswordPolicy } from '../core/password.ts';
import type { Random } from '../core/ports.ts';
import type { Strategy } from '../core/secret.ts';

/**
 * The contract between the lifecycle engine and one secret type. A rotator knows its target and nothing of
 * Secrets Manager: it gets credentials as parsed JSON and never sees versions or staging labels.
 */
export interface Rotator<S extends object> {
  /** The type's name in the configuration, for example `postgresql`. */
  readonly type: string;
  readonly strategies: readonly Strategy[];
  /** Schema of the secret's JSON. Keys that it does not know must survive parsing (`z.looseObject`). */
  readonly schema: z.ZodType<S>;

  /**
   * What the next secret holds, given the current one. Touches nothing; the result is stored before
   * {@link apply} sees it.
   */
  propose(current: S, context: ProposeContext): S;

  /**
   * Refuses a pending credential that must never reach the target: an empty or absurd password, another host or
   * user than the current one's. Called before {@link apply}; touches nothing.
   * @throws SecretError `PendingValueRefused` | `IdentityMismatch`
   */
  check(next: S, current: S, context: { strategy: Strategy }): void;

  /**
   * Makes the target accept `next`, with the best credential at hand. Idempotent: may be killed anywhere and run
   * again, twice at once included. The engine calls it only when `next` does not log in yet.
   * @throws TargetError
   * @throws SecretError `CredentialUnusable` when nothing at hand can log in
   */
  apply(next: S, context: ApplyContext<S>): Promise<void>;

  /** Really logs in with `credential`. Never throws for what the target answers: the outcome says it. */
  probe(credential: S, context: TargetContext): Promise<ProbeResult>;

  /**
   * Emergency: makes the target refuse `leaked` now and ends its live sessions. Twice is the same as once. Must not
   * take away the login of `context.credentials.current` when `leaked` is only an older password of the same user:
   * then it ends the sessions that began before `context.rotatedAt`, or all where the target does not know their age.
   * @throws TargetError
   */
  contain(leaked: S, context: ContainContext<S>): Promise<ContainResult>;

  /** The identity that the target knows the credential by: a user name, a key id. Never a secret. */
  identity(credential: S): string;
}

export interface ProposeContext {
  readonly strategy: Strategy;
  readonly random: Random;
  readonly passwords: PasswordPolicy;
}

/** What every call to a target gets. */
export interface TargetContext {
  /** Longest wait for one connection to be ready, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest wait for one statement, in milliseconds. */
  readonly statementTimeoutMs: number;
  /** PEM certificates of own authorities; replaces the public roots. */
  readonly certificateAuthorities?: readonly string[];
  /** Permits a plaintext connection when the secret has no `ssl` key and the server offers no TLS. Default: false. */
  readonly allowPlaintext?: boolean;
  /** Takes note of something a person should look at; the engine publishes it as a finding. */
  finding(finding: { code: string; severity: 'low' | 'medium' | 'high'; message: string }): void;
}

/** Credentials at hand; all but the current one are read only when asked for. */
export interface Credentials<S> {
  readonly current: S;
  /** The admin secret named in `masterarn`, completed and checked to be of the same target. */
  admin(): Promise<S | undefined>;
  previous(): Promise<S | undefined>;
  /** Other versions that Secrets Manager still keeps, newest first; current, pending and previous excluded. */
  others(): AsyncIterable<S>;
}

export interface ApplyContext<S> extends TargetContext {
  readonly strategy: Strategy;
  readonly random: Random;
  readonly credentials: Credentials<S>;
}

export interface ContainContext<S> extends ApplyContext<S> {
  /** When the current version became current, if that was after the revocation was requested; in local time. */
  readonly rotatedAt?: Date;
}

export type ProbeResult =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'rejected' | 'unreachable'; readonly error: TargetError };

export interface ContainResult {
  /** True when the target now refuses new logins with the leaked credential. */
  readonly loginsRefused: boolean;
  readonly sessionsEnded: number;
  readonly note?: string;
}
