import type { ErrorCode, ErrorCodeOf } from '../core/errors/codes.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';

/** Code that the process ends with. 0: done. 1: a check failed. 2: wrong usage. 3: the system was not reached, or refused. */
export type ExitCode = 0 | 1 | 2 | 3;

/**
 * Codes of a command that runs another one, as `env` and `timeout` have them. 125: it failed itself. 126: the other one was not
 * startable. 127: the other one is missing. The other one's own status could be any of {@link ExitCode}.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/env.html
 */
export type WrapperExitCode = 125 | 126 | 127;

/** An error with the exit code that belongs to it. */
export class CliError extends RekeyError {
  readonly exitCode: ExitCode | WrapperExitCode;
  /** The AWS action that failed, as IAM names it: `ssm:GetParametersByPath`. */
  readonly action?: string;

  constructor(
    exitCode: ExitCode | WrapperExitCode,
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
