/** Codes of what verification can find wrong with a log. */
export const problemCodes = [
  /** A record's bytes do not have the hash that it states. */
  'RecordAltered',
  /** A record does not link to the record before it: one of the two was replaced. */
  'RecordReplaced',
  /** A line is not a record. */
  'RecordMalformed',
  /** One or several records are not there. */
  'RecordsMissing',
  /** Records are there but do not stand in their place. */
  'RecordsReordered',
  /** A record stands where its sequence was already taken. */
  'RecordInserted',
  /** A locked object got a later version put on top; the first one is what was verified. */
  'ObjectOverwritten',
  /** A delete marker hides a locked object. */
  'ObjectHidden',
  /** Something among the records is not an object of the log. */
  'ObjectForeign',
  /** An object's key does not say the sequence of its first record. */
  'ObjectMisplaced',
  /** An object could not be read. */
  'ObjectUnreadable',
  /** The log ends before the head that was noted earlier. */
  'HeadMissing',
  /** The record at the noted head is another one: the log was rewritten. */
  'HeadMismatch',
  /** A rotation began and neither succeeded nor failed within the grace period. */
  'RotationIncomplete',
  /** A rotation's success is recorded, its beginning is not. */
  'RotationUnannounced',
  /** A revocation was requested, or began, and its outcome is not recorded within the grace period. */
  'RevocationIncomplete',
  /** A revocation's beginning or outcome is recorded, what led to it is not. */
  'RevocationUnannounced',
] as const;
type ProblemCode = (typeof problemCodes)[number];

/** One thing that is wrong, with the place. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  /** The record concerned, or the first of several. */
  readonly sequence?: number;
  /** The last record concerned, when there are several. */
  readonly lastSequence?: number;
  readonly key?: string;
  readonly versionId?: string;
}

/** Collects problems: neighbours of one kind become one, and beyond a limit they are only counted. */
export class Problems {
  readonly #found: Problem[] = [];
  readonly #limit: number;
  #omitted = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(problem: Problem): void {
    const last = this.#found.at(-1);
    const next = (last?.lastSequence ?? last?.sequence ?? Number.NaN) + 1;
    const follows =
      last?.code === problem.code &&
      last.key === problem.key &&
      problem.lastSequence === undefined &&
      problem.sequence === next;
    if (follows) {
      this.#found[this.#found.length - 1] = { ...last, lastSequence: next };
    } else if (this.#found.length < this.#limit) {
      this.#found.push(problem);
    } else {
      this.#omitted += 1;
    }
  }

  get found(): readonly Problem[] {
    return this.#found;
  }

  /** Problems beyond the limit. */
  get omitted(): number {
    return this.#omitted;
  }
}
