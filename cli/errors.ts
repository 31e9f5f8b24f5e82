import type { ErrorCode, ErrorCodeOf } from '../core/errors/codes.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';

/** Code that the process ends with. 0: done. 1: a check failed. 2: wrong usage. 3: the system was not reached, or refused. */
export type ExitCode = 0 | 1 | 2 | 3;

/** An error with the exit code that belongs to it. */
export class CliError extends RekeyError {
  readonly exitCode: ExitCode;
  /** The AWS action that failed, as IAM names it: `ssm:GetParametersByPath`. */
  readonly action?: string;

  constructor(
    exitCode: ExitCode,
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; action?: string } = {},
  ) {
    super(code, message, options.cause === undefined ? {} : { cause: options.cause });
    this.exitCode = exitCode;
    if (options.action !== undefined) {
      this.action = options.action;
    }
  }
}

/** Makes the error of a command line that asks for something unknown or senseless. */
export const usageError = (
  code: ErrorCodeOf<'cli' | 'revocation' | 'approval' | 'quarantine'>,
  message: string,
): CliError => new CliError(2, code, message);
