import { createHash } from 'node:crypto';
import { factOf, formFault, RecentFacts, unrecognised } from '../../core/audit/event.ts';
import {
  type AuditEvent,
  emptyHead,
  encodeObject,
  firstBehind,
  type Head,
  objectKey,
  objectLines,
  type ParsedLine,
  parseLine,
  sequenceBehind,
  sequenceLimit,
  sequenceOfKey,
} from '../../core/audit/format.ts';
import type { AuditStore } from '../../core/audit/store.ts';
import type { ObjectVersion } from '../../core/audit/verify.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { Clock } from '../../core/ports.ts';

/** Objects at the end of the log whose facts a starting writer remembers. It does not record those facts again. */
const rememberedObjects = 100;
/** Number of lost races after which something else is wrong. A lost race means that another writer was faster. */
const attempts = 5;

/** The result of a batch. */
export interface Appended {
  /** Records written. */
  readonly written: number;
  /** Keys of objects that are not intact, behind which the log went on. */
  readonly passed: readonly string[];
}

export interface AuditWriterDependencies {
  readonly store: AuditStore;
  readonly clock: Clock;
}

/**
 * Appends events to the log. The key of the next object follows from the head and is put only if it is not taken, so
 * writers that run at once take turns and the log never forks. Between calls it remembers the head and the facts
 * recorded last; a starting writer reads both from the bucket.
 */
export class AuditWriter {
  readonly #store: AuditStore;
  readonly #clock: Clock;
  readonly #facts = new RecentFacts();
  /** Records that say that an object is not intact, by the object's key, until they are written. */
  readonly #broken = new Map<string, AuditEvent>();
  #head: Head | undefined;

  constructor({ store, clock }: AuditWriterDependencies) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Records the new events, in order, as one object: all of them or none. Those that are recorded already are left out.
   *
   * @throws RekeyError `AuditContended` when other writers were faster each time
   */
  async append(events: readonly AuditEvent[]): Promise<Appended> {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      this.#head = await this.#findHead(this.#head ?? emptyHead, this.#head !== undefined && attempt === 1);
      const broken = new Map(this.#broken);
      const fresh = this.#fresh([...broken.values(), ...events]);
      const passed = [...broken.keys()];
      if (fresh.length === 0) {
        return { written: 0, passed };
      }
      const { key, body, head } = encodeObject(this.#head, fresh, this.#clock.now());
      if ((await this.#store.put(key, body)) === 'stored') {
        this.#head = head;
        for (const event of fresh) {
          this.#facts.add(factOf(event));
        }
        this.#broken.clear();
        return { written: fresh.length, passed };
      }
    }
    throw new RekeyError(
      'AuditContended',
      `other writers took the next place in the audit log ${attempts} times in a row; only one function may write`,
    );
  }

  #fresh(events: readonly AuditEvent[]): AuditEvent[] {
    const batch = new Set<string>();
    return events.filter((event) => {
      const fact = factOf(event);
      const known = this.#facts.has(fact) || batch.has(fact);
      batch.add(fact);
      return !known;
    });
  }

  /**
   * Finds the head, starting from one that was the head before. Steps of growing width, then halving, narrow the end of the log
   * down to a thousand sequences with one listed key each; the rest is listed with all versions, so that an object hidden by a
   * delete marker still counts.
   */
  async #findHead(known: Head, trusted: boolean): Promise<Head> {
    if (trusted) {
      return known;
    }
    let low = known.sequence;
    let high = low + 1000;
    for (let width = 1000; high < sequenceLimit; width *= 2) {
      const next = await this.#next(high);
      if (next === undefined) {
        break;
      }
      low = next;
      high = low + width * 2;
    }
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2);
      const next = await this.#next(middle);
      if (next === undefined) {
        high = middle;
      } else {
        low = next;
      }
    }
    // Far enough back to remember what was recorded last: an object holds at least one record and at most ten.
    const from = Math.max(known.sequence, low - rememberedObjects * 10);
    return await this.#readTail(known, from);
  }

  /** Finds the sequence of the log's first object behind another sequence. */
  async #next(sequence: number): Promise<number | undefined> {
    const found = await firstBehind((after, limit) => this.#store.list(after, limit), sequence);
    return found && sequenceOfKey(found.key);
  }

  async #readTail(known: Head, from: number): Promise<Head> {
    const originals = new Map<string, ObjectVersion>();
    let last = from;
    for await (const version of this.#store.versionsAfter(objectKey(from))) {
      const sequence = sequenceBehind(last, version.key);
      if (!version.deleteMarker && sequence !== undefined) {
        // Versions come newest first; the last one of a key is the original.
        originals.set(version.key, version);
        last = sequence;
      }
    }
    const tail = [...originals.values()].slice(-rememberedObjects);
    let head = known;
    for (let index = 0; index < tail.length; index += 10) {
      const part = tail.slice(index, index + 10);
      const bodies = await Promise.all(part.map((version) => this.#store.read(version)));
      for (const [offset, body] of bodies.entries()) {
        head = this.#remember(head, part[offset]?.key ?? '', body);
      }
    }
    return head;
  }

  /**
   * Takes note of an object. Behind one that is not intact the log goes on, as verification counts its lines, and a record says
   * so.
   */
  #remember(before: Head, key: string, body: Uint8Array): Head {
    const first = sequenceOfKey(key) ?? 0;
    let head: Head = { ...before, sequence: Math.max(before.sequence, first - 1) };
    let broken = body.length === 0;
    const lines = [...objectLines(body)];
    for (const { bytes, ended } of lines) {
      const line = ended ? parseLine(bytes) : undefined;
      if (line?.kind === 'intact' && isWithin(line.record.sequence, first, lines.length)) {
        const { sequence, event } = line.record;
        if (formFault(event) === undefined) this.#facts.add(factOf(event));
        head = { sequence: Math.max(sequence, head.sequence), hash: line.hash };
      } else {
        broken = true;
        head = { sequence: head.sequence + 1, hash: hashOf(line) ?? digestOf(bytes) };
      }
    }
    if (body.length === 0) head = { sequence: head.sequence + 1, hash: digestOf(body) };
    if (broken) this.#broken.set(key, continuedBehind(key, this.#clock.now()));
    return head;
  }
}

/**
 * Tells whether a record stands in the object that its sequence belongs to. A sequence far ahead, believed, would lead the log to
 * keys where no writer looks.
 */
const isWithin = (sequence: number, first: number, records: number): boolean =>
  sequence >= first && sequence < first + records;

/** Gives the hash that a line has or states. It may be a line whose record does not belong there. */
function hashOf(line: ParsedLine | undefined): string | undefined {
  if (line?.kind === 'intact') return line.hash;
  return line?.kind === 'altered' ? line.hashes[0] : undefined;
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Makes the record that the log went on behind an object that is not intact. */
const continuedBehind = (key: string, at: Date): AuditEvent => ({
  id: `continued behind ${key}`,
  source: 'rekey.audit',
  detailType: unrecognised,
  time: at.toISOString(),
  account: 'unknown',
  region: 'unknown',
  detail: { detailType: 'Audit Log Continued', problems: [{ path: key, code: 'not_intact' }] },
});
