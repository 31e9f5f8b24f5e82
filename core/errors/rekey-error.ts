import { type AwsErrorCode, awsFault, awsRemedies, isOfSdk } from './aws.ts';
import { codes, type ErrorCode, type ErrorCodeOf, isRetryable } from './codes.ts';

/**
 * An error that Rekey raises on purpose. `code` is one of a closed set (`core/errors/codes.ts`), whose meaning and remedy stand
 * in docs/errors.md: alarms, Step Functions' `ErrorEquals`, events and the CLI's `--json` output all carry it. It is also the
 * error's `name`, which AWS Lambda reports as `errorType`. Messages name the thing, the value (never a secret) and what to do
 * next.
 */
export class RekeyError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = code;
    this.code = code;
  }

  /** True when the same call may succeed later without anybody changing anything; the code decides. */
  get retryable(): boolean {
    return isRetryable(this.code);
  }
}

/** Code for the reason why a target system did not do what it was asked. */
export type TargetErrorCode = ErrorCodeOf<'target'>;
export const isTargetErrorCode = (code: unknown): code is TargetErrorCode =>
  typeof code === 'string' && Object.hasOwn(codes.target, code);

/** A target system refused or could not be reached. */
export class TargetError extends RekeyError<TargetErrorCode> {}

/** Code for the reason why a secret, or an event about it, cannot be worked with as it stands. */
export type SecretErrorCode = ErrorCodeOf<'secret'>;

/** A secret, or an event about it, has a fault. Nothing was changed at the target. */
export class SecretError extends RekeyError<SecretErrorCode> {}

/** A record could not be handed to the audit log. Scheduled rotation stops on it before the target changes. */
export class AuditUnavailableError extends RekeyError<'AuditUnavailable' | 'AuditRefused'> {
  /**
   * Chooses between the two codes by what AWS answered.
   * @param fault - what AWS answered; without one, the record may be taken later
   */
  constructor(message: string, options: { cause?: unknown; fault?: AwsErrorCode | undefined } = {}) {
    const { fault } = options;
    super(fault === undefined || isRetryable(fault) ? 'AuditUnavailable' : 'AuditRefused', message, options);
  }
}

/** The error as events, logs and `--json` show it: code, message and whether a retry can help. */
export interface ErrorSummary {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

/** An error that was read. Another version of Rekey may have written it, with a code that this one does not know. */
export interface ReportedError extends Omit<ErrorSummary, 'code'> {
  readonly code: string;
}

/** Summarises an error that was not thrown here. */
export const errorSummary = (code: ErrorCode, message: string): ErrorSummary => ({
  code,
  message,
  retryable: isRetryable(code),
});

/**
 * Cuts a text to what a record and a log have room for. Such a text names what others have named, at any length.
 * @param longest - characters that are kept
 */
export const shortened = (text: string, longest = 2_000): string =>
  text.length > longest ? `${text.slice(0, longest)}…` : text;

/**
 * Summarises any thrown value. Errors that are not ours keep only their name: a driver's or an SDK's message may quote
 * a statement or a value, and a summary goes into events and logs. What AWS answered has a code, too.
 *
 * @example
 * summarizeError(new TargetError('TargetUnreachable', 'no answer from db.example:5432 within 5 s'));
 * // { code: 'TargetUnreachable', message: 'no answer from …', retryable: true }
 */
export function summarizeError(error: unknown): ErrorSummary {
  if (error instanceof RekeyError) {
    // What a server, a secret or a request is called may be of any length, and stands in records and logs.
    const { code, message } = error;
    return errorSummary(code, shortened(message));
  }
  const fault = isOfSdk(error) ? awsFault(error) : undefined;
  if (fault !== undefined) {
    return errorSummary(fault.code, `a call of AWS failed (${fault.name}); ${awsRemedies[fault.code]}`);
  }
  const name = error instanceof Error ? error.name : typeof error;
  return errorSummary('Unexpected', `unexpected ${name}; its text is withheld because it may quote a value`);
}
