import { emptyHead, type Head, type ParsedLine } from './format.ts';
import type { Problems } from './problems.ts';

interface Gap {
  first: number;
  last: number;
}

/** The place of a line. `first` is the sequence in the object's key when the line is the object's first one. */
export interface Place {
  readonly key: string;
  readonly first: number | undefined;
}

/**
 * Follows the records in the order in which they stand and names whatever breaks sequence or links. It keeps the last
 * record's place and the gaps so far, nothing that grows with an intact log.
 */
export class ChainCheck {
  #sequence = 0;
  /** Hashes that the next record may name as its previous one; `undefined` when the last record's is not known. */
  #hashes: readonly string[] | undefined = [emptyHead.hash];
  readonly #gaps: Gap[] = [];
  /**
   * The state before the last jump, until the next record shows whether records are missing or one is misplaced. Until then gaps are
   * only added, so their number is enough.
   */
  #beforeJump:
    | { sequence: number; hashes: readonly string[] | undefined; gaps: number; early: readonly number[] }
    | undefined;
  /** Records that stand too early. */
  readonly #early = new Set<number>();
  readonly #problems: Problems;
  readonly #expected: Head | undefined;
  #expectedSeen: boolean;
  #head: Head = emptyHead;

  constructor(problems: Problems, expected?: Head) {
    this.#problems = problems;
    this.#expected = expected;
    this.#expectedSeen = expected?.sequence === 0;
  }

  /** The last record that stands in its place with its own hash. */
  get head(): Head {
    return this.#head;
  }

  take(line: ParsedLine, place: Place): void {
    if (line.kind !== 'intact') {
      this.#takeBroken(line, place);
      return;
    }
    const { sequence, previous } = line.record;
    if (place.first !== undefined && place.first !== sequence) {
      this.#problems.add({
        code: 'ObjectMisplaced',
        message: `object ${place.key} begins with record ${sequence}, its key says ${place.first}`,
        sequence,
        key: place.key,
      });
    }
    const jump = this.#beforeJump;
    if (sequence === this.#sequence + 1) {
      this.#checkLink(sequence, previous, place);
      this.#accept(sequence, line.hash);
    } else if (jump && sequence === jump.sequence + 1 && (jump.hashes?.includes(previous) ?? true)) {
      const displaced = this.#sequence;
      this.#reordered(displaced, `stands before record ${sequence}`, place);
      this.#gaps.length = jump.gaps;
      for (const early of [...jump.early, displaced]) {
        if (this.#early.size < 10_000) {
          this.#early.add(early);
        }
      }
      this.#accept(sequence, line.hash);
    } else if (sequence > this.#sequence) {
      const before = { sequence: this.#sequence, hashes: this.#hashes, gaps: this.#gaps.length };
      this.#beforeJump = { ...before, early: this.#addGap(this.#sequence + 1, sequence - 1) };
      this.#sequence = sequence;
      this.#hashes = [line.hash];
      this.#noteHead(sequence, line.hash);
    } else if (this.#fillGap(sequence)) {
      this.#beforeJump = undefined;
      this.#reordered(sequence, `stands behind record ${this.#sequence}`, place);
    } else {
      if (sequence === this.#sequence && this.#hashes) {
        this.#hashes = [...this.#hashes, line.hash];
      }
      this.#problems.add({
        code: 'RecordInserted',
        message: `a record with the sequence ${sequence} stands behind record ${this.#sequence}, whose turn it is not`,
        sequence,
        key: place.key,
      });
    }
  }

  /** Names what is missing. Call it after the last record. */
  end(): void {
    for (const { first, last } of this.#gaps) {
      this.#problems.add({
        code: 'RecordsMissing',
        message: first === last ? `record ${first} is missing` : `records ${first} to ${last} are missing`,
        sequence: first,
        lastSequence: last,
      });
    }
    const expected = this.#expected;
    if (expected && !this.#expectedSeen) {
      this.#problems.add({
        code: 'HeadMissing',
        message: `the log was noted to reach record ${expected.sequence}; that record is not there, the log ends with ${this.#sequence}`,
        sequence: Math.min(this.#sequence + 1, expected.sequence),
        lastSequence: expected.sequence,
      });
    }
  }

  #takeBroken(line: Exclude<ParsedLine, { kind: 'intact' }>, place: Place): void {
    const next = this.#sequence + 1;
    const sequence = Math.max(place.first ?? next, next);
    if (sequence > next) {
      this.#addGap(next, sequence - 1);
    }
    this.#beforeJump = undefined;
    this.#sequence = sequence;
    if (line.kind === 'altered') {
      this.#hashes = line.hashes;
      this.#problems.add({
        code: 'RecordAltered',
        message: `record ${sequence} was altered: it states the hash ${line.hashes[0]}, its bytes have ${line.hashes[1]}`,
        sequence,
        key: place.key,
      });
    } else {
      this.#hashes = undefined;
      this.#problems.add({
        code: 'RecordMalformed',
        message: `where record ${sequence} should stand is no record: ${line.reason}`,
        sequence,
        key: place.key,
      });
    }
  }

  #accept(sequence: number, hash: string): void {
    this.#beforeJump = undefined;
    this.#sequence = sequence;
    this.#hashes = [hash];
    this.#noteHead(sequence, hash);
  }

  #noteHead(sequence: number, hash: string): void {
    this.#head = { sequence, hash };
    if (this.#expected?.sequence !== sequence) {
      return;
    }
    this.#expectedSeen = true;
    if (this.#expected.hash !== hash) {
      this.#problems.add({
        code: 'HeadMismatch',
        message: `record ${sequence} was noted with the hash ${this.#expected.hash}, it now has ${hash}: the log was rewritten`,
        sequence,
      });
    }
  }

  #checkLink(sequence: number, previous: string, place: Place): void {
    if (this.#hashes === undefined || this.#hashes.includes(previous)) {
      return;
    }
    const message =
      sequence === 1
        ? `record 1 names ${previous} as the record before it, but it is the first one`
        : `record ${sequence} names ${previous} as the hash of record ${sequence - 1}, which has ${this.#hashes[0]}: one of the two was replaced`;
    this.#problems.add({
      code: 'RecordReplaced',
      message,
      sequence: Math.max(sequence - 1, 1),
      lastSequence: sequence,
      key: place.key,
    });
  }

  #reordered(sequence: number, how: string, place: Place): void {
    this.#problems.add({
      code: 'RecordsReordered',
      message: `record ${sequence} ${how}`,
      sequence,
      key: place.key,
    });
  }

  /** Returns the records of the gap that stood too early, which are not missing. */
  #addGap(first: number, last: number): readonly number[] {
    let start = first;
    const early = [...this.#early]
      .filter((sequence) => sequence >= first && sequence <= last)
      .sort((a, b) => a - b);
    for (const sequence of early) {
      if (sequence > start) {
        this.#gaps.push({ first: start, last: sequence - 1 });
      }
      start = sequence + 1;
      this.#early.delete(sequence);
    }
    if (start <= last) {
      this.#gaps.push({ first: start, last });
    }
    return early;
  }

  #fillGap(sequence: number): boolean {
    const index = this.#gaps.findIndex(({ first, last }) => first <= sequence && sequence <= last);
    const gap = this.#gaps[index];
    if (gap === undefined) {
      return false;
    }
    const parts = [
      { first: gap.first, last: sequence - 1 },
      { first: sequence + 1, last: gap.last },
    ].filter(({ first, last }) => first <= last);
    this.#gaps.splice(index, 1, ...parts);
    return true;
  }
}
