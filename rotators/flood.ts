import { TargetError } from '../core/errors.ts';
import { textOf } from './tls/failures.ts';

/** More than any answer of a server takes to a question that is asked here. A function has 512 MB. */
export const mostBytes = 16 * 1024 * 1024;

const code = 'REKEY_FLOOD';

/** What a connection ends with whose server sends more than it is let; a driver may wrap it. */
export const floodError = (): Error => Object.assign(new Error('the server sends too much'), { code });

/** The error of Rekey for it; undefined for any other failure. */
export function floodOf(error: unknown, where: string): TargetError | undefined {
  return textOf(error, 'code') === code
    ? new TargetError(
        'TargetRefused',
        `${where}: the server sends more than ${mostBytes / 1024 / 1024} MiB without an end, which no answer takes; nothing of it was read`,
      )
    : undefined;
}
