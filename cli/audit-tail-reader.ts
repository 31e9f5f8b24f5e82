import {
  type AuditRecord,
  entriesPrefix,
  firstBehind,
  objectKey,
  objectLines,
  parseLine,
  sequenceBehind,
  sequenceLimit,
  sequenceOfKey,
} from '../core/audit/format.ts';
import type { AuditObjects } from '../core/operator-ports.ts';

/** A record as it stands in the log, or what stands in its place. */
export type ReadRecord =
  | { readonly kind: 'record'; readonly key: string; readonly hash: string; readonly record: AuditRecord }
  | { readonly kind: 'unreadable'; readonly key: string; readonly reason: string };

/** Finds the first object of the log behind a sequence. */
const firstIn = (objects: AuditObjects, sequence: number) =>
  firstBehind((after, limit) => objects.list(after, limit), sequence);

/**
 * Finds the smallest number for which `holds` is true. `holds` must be false up to some number and true from there on. Steps
 * grow from the start, so a short log needs few of them.
 */
async function smallest(holds: (sequence: number) => Promise<boolean>): Promise<number> {
  let below = 0;
  let step = 1;
  while (below + step < sequenceLimit && !(await holds(below + step))) {
    below += step;
    step *= 4;
  }
  let reached = Math.min(below + step, sequenceLimit);
  while (reached - below > 1) {
    const middle = below + Math.floor((reached - below) / 2);
    if (await holds(middle)) {
      reached = middle;
    } else {
      below = middle;
    }
  }
  return reached;
}

/**
 * Finds the newest object of a log. S3 lists keys in ascending order only, so this looks for the end by halving: about
 * 2·log₂(records) list calls.
 */
export async function lastObject(objects: AuditObjects): Promise<{ key: string; written: Date } | undefined> {
  const first = await firstIn(objects, 0);
  if (first === undefined) return undefined;
  let last = first;
  await smallest(async (sequence) => {
    const found = await firstIn(objects, sequence);
    if (found !== undefined && found.key > last.key) {
      last = found;
    }
    return found === undefined;
  });
  return last;
}

/**
 * Finds a key behind which all records stand that were made at `time` or later, and few others. S3 keeps times in whole
 * seconds, hence the margin.
 */
export async function keyBefore(objects: AuditObjects, time: Date): Promise<string> {
  const since = new Date(time.getTime() - 2_000);
  const first = await firstIn(objects, 0);
  if (first === undefined || first.written >= since) {
    return entriesPrefix;
  }
  const sequence = await smallest(async (candidate) => {
    const found = await firstIn(objects, candidate);
    return found === undefined || found.written >= since;
  });
  return objectKey(sequence);
}

/** Yields the records behind `after` that are there now. Returns the key of the log's last object that it read. */
export async function* recordsAfter(
  objects: AuditObjects,
  after: string,
): AsyncGenerator<ReadRecord, string> {
  let last = after;
  let reached = after;
  for (;;) {
    const page = await objects.list(last, 1_000);
    for (let start = 0; start < page.length; start += 16) {
      const some = page.slice(start, start + 16);
      const bodies = await Promise.all(some.map(({ key }) => objects.read(key)));
      for (const [index, { key }] of some.entries()) {
        yield* recordsIn(key, bodies[index] ?? new Uint8Array());
        if (sequenceBehind(sequenceOfKey(reached) ?? 0, key) !== undefined) reached = key;
        last = key;
      }
    }
    if (page.length < 1_000) {
      return reached;
    }
  }
}

function* recordsIn(key: string, body: Uint8Array): Generator<ReadRecord> {
  for (const { bytes } of objectLines(body)) {
    const line = parseLine(bytes);
    if (line.kind === 'intact') {
      yield { kind: 'record', key, hash: line.hash, record: line.record };
    } else {
      const reason = line.kind === 'altered' ? 'a record was altered' : line.reason;
      yield { kind: 'unreadable', key, reason };
    }
  }
}

/** Follows a log from its present end and hands out what was added since the last look. */
export class AuditFollower {
  readonly #objects: AuditObjects;
  #after: string;

  private constructor(objects: AuditObjects, after: string) {
    this.#objects = objects;
    this.#after = after;
  }

  static async fromEnd(objects: AuditObjects): Promise<AuditFollower> {
    return new AuditFollower(objects, (await lastObject(objects))?.key ?? entriesPrefix);
  }

  async next(): Promise<readonly AuditRecord[]> {
    const records: AuditRecord[] = [];
    const reading = recordsAfter(this.#objects, this.#after);
    for (;;) {
      const step = await reading.next();
      if (step.done) {
        this.#after = step.value;
        return records;
      }
      if (step.value.kind === 'record') {
        records.push(step.value.record);
      }
    }
  }
}
