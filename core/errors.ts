/**
 * Every error that Rekey raises on purpose. `code` is stable: alarms, Step Functions `ErrorEquals`, events and the
 * CLI's `--json` output all carry it, and it is also the error's `name`, which AWS Lambda reports as `errorType`.
 * Messages name the thing, the value (never a secret) and what to do next.
 */
export class RekeyError<Code extends string = string> extends Error {
  readonly code: Code;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;

  constructor(code: Code, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = code;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** Why a target system did not do what it was asked. */
const targetErrorCodes = [
  /** No connection: name not resolved, refused, reset, or no answer within the connect timeout. */
  'TargetUnreachable',
  /** The TLS handshake failed: no TLS offered, unknown authority, wrong host name, expired certificate. */
  'TlsRefused',
  /** The target was reached and refused the login. */
  'AuthenticationRefused',
  /** The login works but lacks a permission; the message names the missing grant. */
  'PermissionMissing',
  /** The login works but the database (or other container) named in the secret does not exist. */
  'DatabaseMissing',
  /** The target was reached but did not answer a statement in time. */
  'TargetTimeout',
  /** The target answered with any other error. */
  'TargetRefused',
] as const;
export type TargetErrorCode = (typeof targetErrorCodes)[number];
export const isTargetErrorCode = (code: unknown): code is TargetErrorCode =>
  targetErrorCodes.some((known) => known === code);

/** A target system refused or could not be reached. `code` says which; see {@link targetErrorCodes}. */
export class TargetError extends RekeyError<TargetErrorCode> {
  constructor(code: TargetErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, { ...options, retryable: code === 'TargetUnreachable' || code === 'TargetTimeout' });
  }
}

/** Why a secret, or an event about it, cannot be worked with as it stands. */
const secretErrorCodes = [
  'StepUnknown',
  'RotationEventInvalid',
  'SecretMissing',
  /** Nothing can have this name: it holds characters that no name of a secret has. */
  'SecretNameInvalid',
  'SecretAccessDenied',
  /** The KMS key of the secret is disabled, or will be deleted. */
  'SecretKeyUnusable',
  'SecretValueMissing',
  'SecretValueInvalid',
  'RotationDisabled',
  /** Secrets Manager may not invoke the rotation function, or there is none any more. */
  'RotationFunctionDenied',
  'VersionUnknown',
  'VersionNotPending',
  'PendingValueRefused',
  'IdentityMismatch',
  'AdminSecretMissing',
  'AdminSecretMismatch',
  'CredentialUnusable',
  'StrategyUnsupported',
  'CurrentMoved',
  /** The target has room for no other credential, and those it has are not known to be free to go. */
  'SlotsTaken',
  /** An AWS service keeps and rotates the credential itself. */
  'ManagedByAws',
  /** The function that ends sessions was asked for what it does not do. */
  'SessionCutoffInvalid',
] as const;
export type SecretErrorCode = (typeof secretErrorCodes)[number];

/** A secret, or an event about it, is not as it must be; nothing was changed at the target. */
export class SecretError extends RekeyError<SecretErrorCode> {}

/** A record could not be handed to the audit log. Scheduled rotation stops on it before the target changes. */
export class AuditUnavailableError extends RekeyError<'AuditUnavailable'> {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('AuditUnavailable', message, { ...options, retryable: true });
  }
}

/** The error as events, logs and `--json` show it: code, message and whether a retry can help. */
export interface ErrorSummary {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/**
 * Summarises any thrown value. Errors that are not ours keep only their name: a driver's or an SDK's message may quote
 * a statement or a value, and a summary goes into events and logs.
 *
 * @example
 * summarizeError(new TargetError('TargetUnreachable', 'no answer from db.example:5432 within 5 s'));
 * // { code: 'TargetUnreachable', message: 'no answer from …', retryable: true }
 */
export function summarizeError(error: unknown): ErrorSummary {
  if (error instanceof RekeyError) {
    return { code: error.code, message: error.message, retryable: error.retryable };
  }
  const name = error instanceof Error ? error.name : typeof error;
  return {
    code: 'Unexpected',
    message: `unexpected ${name}; its text is withheld because it may quote a value`,
    retryable: false,
  };
}
