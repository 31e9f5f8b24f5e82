import type { z } from 'zod';
import { usualStepSeconds } from './deployed/limits.ts';
import type { TargetError } from './errors/rekey-error.ts';
import type { Finding } from './findings/codes.ts';
import type { Random } from './ports.ts';
import type { PasswordPolicy } from './secret/password.ts';
import type { Strategy } from './secret/secret.ts';

/**
 * Milliseconds for which a run of a step may go on after it began. It is the timeout of the functions of types that issue
 * credentials. After that, nobody will store what it made.
 */
export const runLivesMs = usualStepSeconds * 1_000;

/**
 * The contract between the lifecycle engine and one secret type. A rotator knows its target and nothing of
 * Secrets Manager: it gets credentials as parsed JSON and never sees versions or staging labels.
 *
 * `kind` says who makes a credential and how many the target accepts of one user.
 */
export type Rotator<S extends object> = ReplacingRotator<S> | OverlappingRotator<S> | IssuingRotator<S>;

/** A type whose target accepts one password of a user. Rekey chooses it, and it replaces the one before at once. */
export interface ReplacingRotator<S extends object> extends RotatorBase<S> {
  readonly kind: 'replacing';
  readonly strategies: readonly Exclude<Strategy, 'dual-credential'>[];
}

/** A type whose target accepts two passwords of a user. Rekey chooses them, and ends the overlap. */
export interface OverlappingRotator<S extends object> extends RotatorBase<S>, Retiring<S> {
  readonly kind: 'overlapping';
  readonly strategies: readonly Strategy[];
}

/** A type whose target makes the credentials, such as access keys and API tokens. It accepts two of a user. */
export interface IssuingRotator<S extends object> extends RotatorBase<S>, Retiring<S> {
  readonly kind: 'issuing';
  readonly strategies: readonly Strategy[];

  /**
   * Removes from the target a proposal that was not stored, because another run of the same step stored its own. Twice is the
   * same as once.
   * @throws TargetError
   */
  discard(proposal: S, context: ApplyContext<S>): Promise<void>;
}

/** The end of an overlap, where a target accepts two credentials of a user. */
interface Retiring<S extends object> {
  /**
   * Ends the overlap: makes the target forget a credential that `context.credentials.current` replaced. The engine calls it
   * when the overlap is over, and before an issuing `propose`. Twice is the same as once; never touches the current credential.
   * @throws TargetError
   */
  retire(old: S, context: RetireContext<S>): Promise<RetireResult>;
}

/** The part of the contract that rotators of all kinds have. */
interface RotatorBase<S extends object> {
  /** The type's name in the configuration, for example `postgresql`. */
  readonly type: string;
  readonly strategies: readonly Strategy[];
  /** Schema of the secret's JSON. Keys that it does not know must survive parsing (`z.looseObject`). */
  readonly schema: z.ZodType<S>;

  /**
   * Makes what the next secret holds, given the current one. Keys of `current` that are not of the credential stay.
   *
   * Where Rekey chooses the value this touches nothing; the value is stored before {@link apply} sees it. An issuing rotator
   * makes it at the target. Such a `propose` may die before its result is stored, and is then called again with the same
   * `token`. What the earlier call left at the target must then be
   * found and removed. It may remove only what the type's earlier calls made. What another run of the same step made stays
   * while that run may still be alive and store it: a run lives for {@link runLivesMs} at the most. Until then it fails with a
   * retryable error.
   * @throws TargetError
   * @throws SecretError `SlotsTaken` when the target has room for no other credential
   */
  propose(current: S, context: ProposeContext<S>): Promise<S>;

  /**
   * Refuses a pending credential that must never reach the target. Such are an empty or absurd password, another host or user
   * than the current one's. Called before {@link apply}; touches nothing.
   * @throws SecretError `PendingValueRefused` | `IdentityMismatch`
   */
  check(next: S, current: S, context: { strategy: Strategy }): void;

  /**
   * Makes the target accept `next`, with the best credential at hand. Idempotent: may be killed anywhere and run
   * again, twice at once included. The engine does not try `next` first: it may log in already.
   * @throws TargetError
   * @throws SecretError `CredentialUnusable` when nothing at hand can log in
   */
  apply(next: S, context: ApplyContext<S>): Promise<void>;

  /**
   * Tries `credential` by a real login. Never throws for what the target answers: the outcome says it. `unverifiable` is for
   * credentials that no target known to Rekey accepts or refuses.
   */
  probe(credential: S, context: TargetContext): Promise<ProbeResult>;

  /**
   * Makes the target refuse `leaked` now and ends its live sessions: the emergency. Twice is the same as once. Must not take
   * away the login of `context.credentials.current` when `leaked` is only an older password of the same user. Then it ends the
   * sessions that began before `context.rotatedAt`, or all where the target does not know their age.
   * @throws TargetError
   */
  contain(leaked: S, context: ContainContext<S>): Promise<ContainResult>;

  /** Names the keys of the secret's JSON that hold the credential: the only ones whose values a rotation replaces. */
  credentialKeys(secret: S): readonly string[];

  /**
   * Gives the keys of the secret's JSON that say whose the credential is and where it may be sent. They are user, host, port
   * and TLS, each with its value in one form, so that a port of `5432`, of `"5432"` and none at all are the same. A credential
   * of one version never goes where another version points.
   */
  boundTo(secret: S): Bounds;

  /** Gives the identity that the target knows the credential by: a user name, a key id. Never a secret. */
  identity(credential: S): string;
}

/** Part of a rotator that a revocation needs. It is all there is where the rotation itself is not Rekey's. */
export type Revoker<S extends object> = Pick<
  RotatorBase<S>,
  'type' | 'strategies' | 'schema' | 'probe' | 'contain' | 'identity' | 'boundTo'
>;

/** Keys and values that {@link RotatorBase.boundTo} gives. */
export type Bounds = Readonly<Record<string, string | number>>;

/** The context of every call to a target. */
export interface TargetContext {
  /** Longest wait for one connection to be ready, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest wait for one statement, in milliseconds. */
  readonly statementTimeoutMs: number;
  /** PEM certificates of own authorities; replaces the public roots. */
  readonly certificateAuthorities?: readonly string[];
  /** Permits a plaintext connection when the secret leaves `ssl` out and the server offers no TLS. Default: false. */
  readonly allowPlaintext?: boolean;
  /** Permits HTTP APIs on private, loopback and link-local addresses. Default: false. */
  readonly allowPrivateAddresses?: boolean;
  /** Takes note of something a person should look at; the engine publishes it as a finding. */
  finding(finding: Finding): void;
}

/** Credentials at hand; all but the current one are read only when asked for. */
export interface Credentials<S> {
  readonly current: S;
  /** Reads the admin secret named in `masterarn`, completed and checked to be of the same target. */
  admin(): Promise<S | undefined>;
  previous(): Promise<S | undefined>;
  /**
   * Reads the other versions that Secrets Manager still keeps, newest first; current, pending and previous excluded.
   * @param which - `newer`: those alone that were stored after the current one, by rotations that were given up. Default: `all`
   */
  others(which?: 'newer' | 'all'): AsyncIterable<S>;
  /**
   * Tells whether the deployment names this credential's user, place and admin secret as the secret's. Asked where no version
   * has logged in: whoever may write a secret may name anybody in it, and the admin would act for that person.
   */
  isAssigned(credential: S): Promise<boolean>;
}

export interface ApplyContext<S> extends TargetContext {
  readonly strategy: Strategy;
  readonly random: Random;
  readonly credentials: Credentials<S>;
}

export interface ProposeContext<S> extends ApplyContext<S> {
  readonly passwords: PasswordPolicy;
  /** The version id that the proposal will have: the same when the step is tried again. Not a secret. */
  readonly token: string;
}

export interface RetireContext<S> extends ApplyContext<S> {
  /**
   * Act that is due. `disable`: the overlap is over; the credential must stop working, but may be kept so that a person can
   * enable it again. `remove`: the grace period is over, or its place is needed. Where a target cannot disable, both remove.
   */
  readonly act: 'disable' | 'remove';
  /**
   * Records what is about to happen. To be awaited right before the first change at the target, and only where there is one.
   * @throws AuditUnavailableError when nothing takes the record; the target must then stay as it is
   */
  readonly announce: () => Promise<void>;
}

export interface ContainContext<S> extends ApplyContext<S> {
  /** Time at which the current version became current, if after the revocation was requested; in local time. */
  readonly rotatedAt?: Date;
}

export type ProbeResult =
  | { readonly outcome: 'accepted' }
  | FailedProbe
  /** Nothing that Rekey can reach accepts or refuses it; `note` says who does. */
  | { readonly outcome: 'unverifiable'; readonly note: string };

/** A trial that ended without a login, and why. */
export interface FailedProbe {
  readonly outcome: 'rejected' | 'unreachable';
  readonly error: TargetError;
  /**
   * True if the target found the credential right and had no connection left for its user. A credential that was set is
   * then in place.
   */
  readonly passwordAccepted?: boolean;
}

/** Tells whether a trial ended without a login at a target that could have let it in. */
export const isFailed = (result: ProbeResult): result is FailedProbe =>
  result.outcome === 'rejected' || result.outcome === 'unreachable';

export interface RetireResult {
  /** Act that was done to it; `nothing` when it was so already. */
  readonly done: 'disabled' | 'removed' | 'nothing';
  readonly note?: string;
}

export interface ContainResult {
  /** True when the target now refuses new logins with the leaked credential. */
  readonly loginsRefused: boolean;
  readonly sessionsEnded: number;
  readonly note?: string;
}
