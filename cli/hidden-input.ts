import { CliError, usageError } from './errors.ts';

/** The part of standard input that is read here. */
export interface Input {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  off(event: 'data', listener: (chunk: Buffer) => void): unknown;
  off(event: 'end' | 'close', listener: () => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** Bytes that are read; a secret has 64 KiB at most, and in base64 a third more. */
export const mostBytes = 131_072;

/** Milliseconds after the end of a line in which the rest of what was pasted comes. Left unread, a shell would run it. */
const pasteMs = 150;

const [interrupt, endOfInput, backspace, deletion] = [0x03, 0x04, 0x08, 0x7f];
const [newline, carriageReturn] = [0x0a, 0x0d];

const tooLong = () =>
  usageError(
    'ValueTooLong',
    `standard input holds more than ${mostBytes} bytes, and no secret does; give the value alone`,
  );

/**
 * Reads a value from standard input. In a pipe that is all that comes. At a terminal the person is asked, and what they type or
 * paste is not shown: the terminal echoes nothing in raw mode.
 *
 * @param prompt - writes the question, and the end of its line
 * @throws CliError `ValueTooLong` | `NotConfirmed` for Ctrl-C
 */
export async function readHidden(
  input: Input,
  question: string,
  prompt: (text: string) => void,
): Promise<string> {
  if (input.isTTY !== true) return (await collect(input, () => false)).toString('utf8');
  // Before the question, as somebody may answer at once.
  input.setRawMode?.(true);
  try {
    prompt(question);
    return (await collect(input, endsLine)).toString('utf8').replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  } finally {
    input.setRawMode?.(false);
    prompt('\n');
  }
}

const endsLine = (byte: number): boolean => byte === newline || byte === carriageReturn;

/** Collects bytes up to the end of the input. At a terminal, a line that nothing follows ends it. */
function collect(input: Input, endsHere: (byte: number) => boolean): Promise<Buffer> {
  const terminal = input.isTTY === true;
  return new Promise((resolve, reject) => {
    let bytes: number[] = [];
    const chunks: Buffer[] = [];
    let size = 0;
    let timer: NodeJS.Timeout | undefined;
    const end = (error?: CliError) => {
      clearTimeout(timer);
      input.off('data', take);
      input.off('end', done);
      input.off('close', done);
      input.pause();
      if (error !== undefined) reject(error);
      else resolve(terminal ? Buffer.from(withoutLineEnd(bytes)) : Buffer.concat(chunks));
    };
    const done = () => end();
    const take = (chunk: Buffer) => {
      clearTimeout(timer);
      size += chunk.length;
      if (size > mostBytes) return end(tooLong());
      if (!terminal) {
        chunks.push(chunk);
        return;
      }
      for (const byte of chunk) {
        if (byte === interrupt) return end(new CliError(1, 'NotConfirmed', 'ended; nothing was looked up'));
        if (byte === endOfInput) return end();
        if (byte === backspace || byte === deletion) bytes = withoutLast(bytes);
        else bytes.push(byte);
      }
      const last = bytes.at(-1);
      if (last !== undefined && endsHere(last)) timer = setTimeout(done, pasteMs);
    };
    input.on('data', take);
    input.on('end', done);
    input.on('close', done);
    input.resume();
  });
}

/** Takes the end of the line off that ended the input. */
const withoutLineEnd = (bytes: readonly number[]): readonly number[] =>
  endsLine(bytes.at(-1) ?? 0) ? bytes.slice(0, -1) : bytes;

/** Takes the last character off, which may have several bytes in UTF-8. */
function withoutLast(bytes: readonly number[]): number[] {
  let end = bytes.length - 1;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.slice(0, Math.max(0, end));
}
