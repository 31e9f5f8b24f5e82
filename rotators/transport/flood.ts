import { TargetError } from '../../core/errors/rekey-error.ts';
import { textOf } from './tls/failures.ts';

/**
 * Longest answers that are read, in bytes: lists of some 30,000 sessions. The more a driver makes of a byte, the shorter the
 * limit. A function has 512 MB, and an answer of the shortest rows takes up to a hundred times its length.
 */
export const mostBytes = { postgresql: 6 * 1024 * 1024, mysql: 2 * 1024 * 1024, redis: 12 * 1024 * 1024 };

const code = 'REKEY_FLOOD';

/** Makes the error with which a connection ends whose server sends too much. A driver hands it on as it is. */
export const floodError = (most: number): Error =>
  Object.assign(new Error(`the server sends more than ${most / 1024} KiB at once, which no answer takes`), {
    code,
  });

/**
 * Makes the error with which a connection ends whose server sends what its protocol does not know. A driver hands it on as it is.
 */
export const malformedError = (): Error =>
  Object.assign(new Error('the server sends what its protocol does not know'), { code });

/**
 * Has a driver read what came, and ends the connection where it fails on that. The driver's exception would be thrown in the
 * listener of a socket. There it ends the process, and the containment of all other versions with it.
 */
export function readBy<Data>(
  read: (data: Data) => void,
  stream: { destroy(error?: Error): void },
): (data: Data) => void {
  return (data) => {
    try {
      read(data);
    } catch {
      stream.destroy(malformedError());
    }
  };
}

/**
 * Counts the bytes that a server sends as one answer. A driver would keep all of it, in objects that take many times its length.
 */
export class AnswerLength {
  readonly most: number;
  #bytes = 0;

  constructor(most: number) {
    this.most = most;
  }

  /** Begins with the next answer; to be called when a question is sent. */
  restart(): void {
    this.#bytes = 0;
  }

  /** Counts what came; true when it is too much for one answer. */
  exceeds(data: Uint8Array): boolean {
    this.#bytes += data.length;
    return this.#bytes > this.most;
  }
}

/** Turns the end of such a connection into an error of Rekey. Undefined for any other failure. */
export function floodOf(error: unknown, where: string): TargetError | undefined {
  return textOf(error, 'code') === code
    ? new TargetError('TargetRefused', `${where}: ${textOf(error, 'message')}; nothing of it was read`)
    : undefined;
}
