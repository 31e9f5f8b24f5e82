import { factOf, RecentFacts } from '../../core/audit/event.ts';
import {
  type AuditEvent,
  emptyHead,
  encodeObject,
  type Head,
  objectKey,
  objectLines,
  parseLine,
  sequenceLimit,
  sequenceOfKey,
} from '../../core/audit/format.ts';
import type { AuditStore } from '../../core/audit/store.ts';
import type { ObjectVersion } from '../../core/audit/verify.ts';
import { RekeyError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';

/** Objects at the end of the log whose facts a starting writer remembers, so that it does not record them again. */
const rememberedObjects = 100;
/** Another writer may be faster; after so many lost races something else is wrong. */
const attempts = 5;

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
  #head: Head | undefined;

  constructor({ store, clock }: AuditWriterDependencies) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Records the events that are not recorded yet, in order, as one object: all of them or none.
   *
   * @returns the number of records written
   * @throws RekeyError `AuditHeadUnreadable` when the end of the log is not intact, `AuditContended` when other writers
   * were faster each time
   */
  async append(events: readonly AuditEvent[]): Promise<number> {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      this.#head = await this.#findHead(this.#head ?? emptyHead, this.#head !== undefined && attempt === 1);
      const fresh = this.#fresh(events);
      if (fresh.length === 0) {
        return 0;
      }
      const { key, body, head } = encodeObject(this.#head, fresh, this.#clock.now());
      if ((await this.#store.put(key, body)) === 'stored') {
        this.#head = head;
        for (const event of fresh) {
          this.#facts.add(factOf(event));
        }
        return fresh.length;
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
   * The head, starting from one that was the head before. Steps of growing width, then halving, narrow the end of the
   * log down to a thousand sequences with one listed key each; the rest is listed with all versions, so that an object
   * hidden by a delete marker still counts.
   */
  async #findHead(known: Head, trusted: boolean): Promise<Head> {
    if (trusted) {
      return known;
    }
    let low = known.sequence;
    let high = low + 1000;
    for (let width = 1000; high < sequenceLimit; width *= 2) {
      const key = await this.#store.firstAfter(objectKey(high));
      if (key === undefined) {
        break;
      }
      low = sequenceOfKey(key) ?? high;
      high = low + width * 2;
    }
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2);
      const key = await this.#store.firstAfter(objectKey(middle));
      if (key === undefined) {
        high = middle;
      } else {
        low = sequenceOfKey(key) ?? middle;
      }
    }
    // Far enough back to remember what was recorded last: an object holds at least one record and at most ten.
    const from = Math.max(known.sequence, low - rememberedObjects * 10);
    return await this.#readTail(known, from);
  }

  async #readTail(known: Head, from: number): Promise<Head> {
    const originals = new Map<string, ObjectVersion>();
    for await (const version of this.#store.versionsAfter(objectKey(from))) {
      if (!version.deleteMarker && sequenceOfKey(version.key) !== undefined) {
        // Versions come newest first; the last one of a key is the original.
        originals.set(version.key, version);
      }
    }
    const tail = [...originals.values()].slice(-rememberedObjects);
    let head = known;
    for (let index = 0; index < tail.length; index += 10) {
      const part = tail.slice(index, index + 10);
      const bodies = await Promise.all(part.map((version) => this.#store.read(version)));
      for (const [offset, body] of bodies.entries()) {
        head = this.#remember(part[offset]?.key ?? '', body);
      }
    }
    return head;
  }

  #remember(key: string, body: Uint8Array): Head {
    let head: Head | undefined;
    for (const { bytes } of objectLines(body)) {
      const line = parseLine(bytes);
      if (line.kind !== 'intact') {
        throw new RekeyError(
          'AuditHeadUnreadable',
          `object ${key} at the end of the audit log is not intact; run \`rekey audit verify\` to see what happened`,
        );
      }
      this.#facts.add(factOf(line.record.event));
      head = { sequence: line.record.sequence, hash: line.hash };
    }
    if (head === undefined) {
      throw new RekeyError('AuditHeadUnreadable', `object ${key} at the end of the audit log is empty`);
    }
    return head;
  }
}
