import { RekeyError } from '../errors/rekey-error.ts';

/** The bounds within which a file of a trail is read. */
export interface TrailFileLimits {
  /**
   * Bytes of the unpacked file.
   * @default 512 MiB
   */
  readonly mostBytes?: number;
  /**
   * Bytes of one record. A longer one is passed over.
   * @default 1 MiB
   */
  readonly longestRecord?: number;
}

/** Makes the refusal of a file that is none of a trail's. */
export const notOfTrail = (why: string, cause?: unknown): RekeyError<'TrailFileInvalid'> =>
  new RekeyError(
    'TrailFileInvalid',
    `the file is none that CloudTrail wrote: ${why}; find out who put it there`,
    cause === undefined ? {} : { cause },
  );

const code = (character: string): number => character.charCodeAt(0);
const [quote, backslash, comma, colon] = [code('"'), code('\\'), code(','), code(':')];
const [openBrace, closeBrace, openBracket, closeBracket] = [code('{'), code('}'), code('['), code(']')];

/** Containers around a record: the file's object and the array of records. */
const depthOfRecords = 2;
/** Containers that may lie within each other. A file of CloudTrail has a dozen. */
const deepest = 512;

/**
 * Cuts the records out of an unpacked file of a trail, each as its JSON text. Memory holds one record and one piece of the file.
 * A record that is too long is given as undefined.
 * @throws RekeyError `TrailFileInvalid` for a file of another form, a file that ends early, and one that is too large
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
 */
export async function* jsonRecords(
  pieces: AsyncIterable<Uint8Array>,
  { mostBytes = 512 * 1024 * 1024, longestRecord = 1024 * 1024 }: TrailFileLimits = {},
): AsyncGenerator<string | undefined> {
  const opened: number[] = [];
  let [inString, escaped, seen] = [false, false, 0];
  /** Text of the member of the file's object that is being read, as far as it matters. */
  let [member, afterColon] = ['', false];
  let inRecords = false;
  let kept: Uint8Array[] | undefined;
  let keptBytes = 0;
  for await (const piece of pieces) {
    seen += piece.length;
    if (seen > mostBytes) throw notOfTrail(`it unpacks to more than ${mostBytes} bytes`);
    let from = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] as number;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inString = false;
        if (inString && opened.length === 1 && !afterColon && member.length < 16) {
          member += String.fromCharCode(byte);
        }
        continue;
      }
      if (byte === quote) {
        inString = true;
        if (opened.length === 1 && !afterColon) member = '';
      } else if (byte === colon && opened.length === 1) afterColon = true;
      else if (byte === comma && opened.length === 1) afterColon = false;
      else if (byte === openBrace || byte === openBracket) {
        if (opened.length === 0 && byte !== openBrace) throw notOfTrail('it holds no object');
        if (opened.length === deepest) throw notOfTrail('it is nested without end');
        if (opened.length === 1) inRecords = byte === openBracket && member === 'Records';
        if (opened.length === depthOfRecords && inRecords && byte === openBrace) {
          [kept, keptBytes, from] = [[], 0, at];
        }
        opened.push(byte);
      } else if (byte === closeBrace || byte === closeBracket) {
        const open = opened.pop();
        if (open !== (byte === closeBrace ? openBrace : openBracket)) throw notOfTrail('it is no JSON');
        if (opened.length === 1) inRecords = false;
        if (opened.length === depthOfRecords && inRecords && byte === closeBrace) {
          const isWhole = kept !== undefined && keptBytes + at + 1 - from <= longestRecord;
          const text = isWhole ? Buffer.concat([...(kept ?? []), piece.subarray(from, at + 1)]) : undefined;
          kept = undefined;
          yield text?.toString('utf8');
        }
      }
    }
    if (kept !== undefined) {
      keptBytes += piece.length - from;
      if (keptBytes > longestRecord) kept = undefined;
      else kept.push(piece.slice(from));
    }
  }
  if (opened.length > 0 || inString || seen === 0) throw notOfTrail('it ends early');
}
