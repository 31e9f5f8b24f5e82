import { createHash } from 'node:crypto';
import * as z from 'zod';

/**
 * The audit log's format. An object `entries/<first sequence, 12 digits>.ndjson` holds one record per line, each
 * ended by a line feed. A line is
 *
 *     {"hash":"<64 hex digits>","sequence":…,"previous":"<64 hex digits>","recordedAt":"…","event":{…}}
 *
 * where `hash` is the SHA-256 of the line's exact bytes without the hash member, that is of `{` followed by everything
 * behind `"<64 hex digits>",`, line feed excluded; and `previous` is the hash of the record before (64 zeros for the
 * first one). The hash covers bytes rather than parsed JSON, so any language can check it without a canonical form.
 */

/** An event as the bus delivered it. */
export interface AuditEvent {
  /** The id that EventBridge gave to the event. */
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  readonly time: string;
  readonly account: string;
  readonly region: string;
  /**
   * Sender that handed it to the queue, as SQS attests. It is the id of a role and the name of its session, or an id of
   * EventBridge's own. Missing in records of before, and where SQS does not say.
   */
  readonly sender?: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One record, without its hash. */
export interface AuditRecord {
  /** Number of the record: 1 for the first, then without a gap. */
  readonly sequence: number;
  /** Hash of the record before. */
  readonly previous: string;
  readonly recordedAt: string;
  readonly event: AuditEvent;
}

/** The end of a log: the last record's sequence and hash. Whoever notes it can later tell whether the log still holds it. */
export interface Head {
  readonly sequence: number;
  readonly hash: string;
}

/** The head of a log without records. */
export const emptyHead: Head = { sequence: 0, hash: '0'.repeat(64) };

/** The largest sequence that fits a key. */
export const sequenceLimit = 999_999_999_999;

/** All records lie below this prefix. */
export const entriesPrefix = 'entries/';

/** Names the object whose first record has this sequence; keys sort as sequences do. */
export const objectKey = (firstSequence: number): string =>
  `${entriesPrefix}${String(firstSequence).padStart(12, '0')}.ndjson`;

/** Reads the first sequence of an object from its key. It gives `undefined` when the key is not one of a log. */
export function sequenceOfKey(key: string): number | undefined {
  const digits = /^entries\/(\d{12})\.ndjson$/.exec(key)?.[1];
  return digits === undefined || Number(digits) === 0 ? undefined : Number(digits);
}

/** Sequences that no log skips: what stands further ahead was put there by somebody else. */
const longestSkip = 1_000_000;

/** Reads the sequence of a key to which the log may have gone on behind another sequence. */
export function sequenceBehind(before: number, key: string): number | undefined {
  const sequence = sequenceOfKey(key);
  return sequence !== undefined && sequence - before <= longestSkip ? sequence : undefined;
}

/**
 * Finds the first object of a log behind a sequence. Foreign objects are passed: those whose keys are none, and those that stand
 * further ahead than a log skips.
 * @param list - objects whose keys sort behind `after`, ascending; fewer than `limit` only at the end
 */
export async function firstBehind<T extends { readonly key: string }>(
  list: (after: string, limit: number) => Promise<readonly T[]>,
  sequence: number,
): Promise<T | undefined> {
  const end = objectKey(Math.min(sequence + longestSkip, sequenceLimit));
  let after = objectKey(sequence);
  // One key is nearly always enough; more are listed only where a foreign one stands in the way.
  for (let limit = 1; after < end; limit = 1000) {
    const page = await list(after, limit);
    const found = page.find(({ key }) => sequenceBehind(sequence, key) !== undefined);
    if (found !== undefined || page.length < limit) return found;
    after = page.at(-1)?.key ?? end;
  }
  return undefined;
}

const hashPattern = /^[0-9a-f]{64}$/;

const recordSchema = z.object({
  sequence: z.int().min(1).max(sequenceLimit),
  previous: z.string().regex(hashPattern),
  recordedAt: z.iso.datetime(),
  event: z.object({
    id: z.string(),
    source: z.string(),
    detailType: z.string(),
    time: z.string(),
    account: z.string(),
    region: z.string(),
    sender: z.string().exactOptional(),
    detail: z.record(z.string(), z.unknown()),
  }),
});

/** An object ready to be put, and the head of the log once it is there. */
export interface EncodedObject {
  readonly key: string;
  readonly body: Uint8Array;
  readonly head: Head;
}

/**
 * Encodes events as the next object of a log.
 *
 * @throws RangeError when `events` is empty: an object holds at least one record
 * @example
 * const { key, body, head } = encodeObject(emptyHead, events, new Date());
 */
export function encodeObject(after: Head, events: readonly AuditEvent[], recordedAt: Date): EncodedObject {
  if (events.length === 0) {
    throw new RangeError('an object of the audit log holds at least one record');
  }
  const lines: string[] = [];
  let head = after;
  for (const { id, source, detailType, time, account, region, sender, detail } of events) {
    const record: AuditRecord = {
      sequence: head.sequence + 1,
      previous: head.hash,
      recordedAt: recordedAt.toISOString(),
      event: {
        id,
        source,
        detailType,
        time,
        account,
        region,
        ...(sender !== undefined && { sender }),
        detail,
      },
    };
    const text = JSON.stringify(record);
    const hash = createHash('sha256').update(text).digest('hex');
    lines.push(`{"hash":"${hash}",${text.slice(1)}\n`);
    head = { sequence: record.sequence, hash };
  }
  return { key: objectKey(after.sequence + 1), body: Buffer.from(lines.join('')), head };
}

/** A line as it was read: intact, altered or malformed. */
export type ParsedLine =
  | { readonly kind: 'intact'; readonly hash: string; readonly record: AuditRecord }
  /** The bytes have another hash than the line states. One of the two hashes may still be the original one. */
  | { readonly kind: 'altered'; readonly hashes: readonly [stated: string, actual: string] }
  | { readonly kind: 'malformed'; readonly reason: string };

const opening = Buffer.from('{"hash":"');
const closing = Buffer.from('",');
const brace = Buffer.from('{');

/** Parses one line, given without its line feed, and checks its hash. */
export function parseLine(line: Uint8Array): ParsedLine {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const stated = bytes.toString('latin1', opening.length, opening.length + 64);
  const rest = opening.length + 64 + closing.length;
  if (
    !bytes.subarray(0, opening.length).equals(opening) ||
    !hashPattern.test(stated) ||
    !bytes.subarray(rest - closing.length, rest).equals(closing)
  ) {
    return { kind: 'malformed', reason: 'the line does not begin with {"hash":"<64 hex digits>",' };
  }
  const actual = createHash('sha256').update(brace).update(bytes.subarray(rest)).digest('hex');
  if (actual !== stated) {
    return { kind: 'altered', hashes: [stated, actual] };
  }
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    return { kind: 'malformed', reason: 'the line is not JSON' };
  }
  const parsed = recordSchema.safeParse(json);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'record').join(', ');
    return { kind: 'malformed', reason: `fields missing or of a wrong form: ${fields}` };
  }
  return { kind: 'intact', hash: stated, record: parsed.data };
}

/** One line of an object; `ended` is false when the line feed behind it is missing. */
export interface ObjectLine {
  readonly bytes: Uint8Array;
  readonly ended: boolean;
}

/** Splits an object into its lines. */
export function* objectLines(body: Uint8Array): Generator<ObjectLine> {
  let start = 0;
  while (start < body.length) {
    const end = body.indexOf(0x0a, start);
    if (end === -1) {
      yield { bytes: body.subarray(start), ended: false };
      return;
    }
    yield { bytes: body.subarray(start, end), ended: true };
    start = end + 1;
  }
}
