import { ChainCheck } from './chain-check.ts';
import { Completeness, type Outcomes, type RevocationOutcomes } from './completeness.ts';
import { factOf, formFault, RecentFacts, unrecognised } from './event.ts';
import { type Head, objectLines, type ParsedLine, parseLine, sequenceOfKey } from './format.ts';
import { type Problem, Problems } from './problems.ts';

/** One version of one object below `entries/`. A delete marker has no content. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId?: string;
  readonly deleteMarker: boolean;
  readonly latest: boolean;
}

/** A place to read a log from: the bucket, or a copy of it in a directory. */
export interface AuditLogSource {
  /** Lists all versions of all objects, by ascending key, and of one key the newest first. */
  versions(): AsyncIterable<ObjectVersion>;
  read(version: ObjectVersion): Promise<Uint8Array>;
}

export interface VerifyOptions {
  /** A head that was noted earlier; a log that ends before it, or holds another record there, was tampered with. */
  readonly expectHead?: Head;
  /** Time of the verification. @default the present */
  readonly now?: Date;
  /**
   * Time for which a rotation or a revocation may be under way, in milliseconds.
   * @default one hour
   */
  readonly graceMs?: number;
  /**
   * Objects read at once.
   * @default 16
   */
  readonly concurrency?: number;
  /**
   * Problems kept in the report; more are counted.
   * @default 1000
   */
  readonly problemLimit?: number;
}

export interface VerificationReport {
  /** True when nothing is wrong. */
  readonly intact: boolean;
  /** The last record that stands in its place; note it to recognise a shortened log later. */
  readonly head: Head;
  readonly objects: number;
  readonly records: number;
  readonly bytes: number;
  /** `recordedAt` of the first and the last intact record. */
  readonly from?: string;
  readonly until?: string;
  /** Events of types that the catalogue lacks; recorded without their data. */
  readonly unrecognised: number;
  /** Facts that were recorded more than once, as far as they are near each other. */
  readonly repeated: number;
  readonly rotations: Outcomes;
  readonly revocations: RevocationOutcomes;
  readonly problems: readonly Problem[];
  readonly problemsOmitted: number;
}

/**
 * Reads a whole log and names everything in it that was changed since it was written. It names records that were altered,
 * replaced, removed, moved or inserted, objects that were overwritten or hidden, and rotations and revocations without an
 * outcome. Memory stays bounded by the objects being read.
 *
 * It cannot see that all records from some point on were removed or written anew, with new hashes, in a copy: for that, give
 * `expectHead`. In the bucket itself Object Lock keeps the first versions, which are the ones verified.
 *
 * @throws whatever `source.versions()` throws; an object that cannot be read becomes a problem
 * @example
 * const report = await verifyLog(source);
 * if (!report.intact) report.problems.forEach(({ message }) => console.error(message));
 */
export async function verifyLog(
  source: AuditLogSource,
  options: VerifyOptions = {},
): Promise<VerificationReport> {
  const problems = new Problems(options.problemLimit ?? 1000);
  const chain = new ChainCheck(problems, options.expectHead);
  const completeness = new Completeness();
  const facts = new RecentFacts();
  const count = { objects: 0, records: 0, bytes: 0, unrecognised: 0, repeated: 0 };
  const span: { from?: string; until?: string } = {};

  const takeIntact = ({ record }: Extract<ParsedLine, { kind: 'intact' }>, key: string): void => {
    count.records += 1;
    span.from ??= record.recordedAt;
    span.until = record.recordedAt;
    if (record.event.detailType === unrecognised) {
      count.unrecognised += 1;
    }
    const fault = formFault(record.event);
    if (fault !== undefined) {
      const { sequence } = record;
      const message = `record ${sequence} has its hash and not the form of a record: ${fault}`;
      problems.add({ code: 'RecordMalformed', message, sequence, key });
      return;
    }
    if (!facts.add(factOf(record.event))) {
      count.repeated += 1;
    }
    completeness.take(record.sequence, record.event, record.recordedAt);
  };

  for await (const { object, body } of readAhead(source, problems, options.concurrency ?? 16)) {
    const content = await body;
    if (!(content instanceof Uint8Array)) {
      problems.add({ code: 'ObjectUnreadable', message: content.reason, ...object });
      continue;
    }
    count.objects += 1;
    count.bytes += content.length;
    let first = sequenceOfKey(object.key);
    if (content.length === 0) {
      chain.take({ kind: 'malformed', reason: 'the object is empty' }, { key: object.key, first });
    }
    for (const { bytes, ended } of objectLines(content)) {
      const line: ParsedLine = ended
        ? parseLine(bytes)
        : { kind: 'malformed', reason: 'the line does not end with a line feed' };
      chain.take(line, { key: object.key, first });
      first = undefined;
      if (line.kind === 'intact') {
        takeIntact(line, object.key);
      }
    }
  }
  chain.end();
  const outcomes = completeness.end(problems, options.now ?? new Date(), options.graceMs ?? 3_600_000);
  return {
    intact: problems.found.length === 0,
    head: chain.head,
    ...count,
    ...span,
    ...outcomes,
    problems: problems.found,
    problemsOmitted: problems.omitted,
  };
}

interface ObjectRead {
  readonly object: { readonly key: string; readonly versionId?: string };
  readonly body: Promise<Uint8Array | { readonly reason: string }>;
}

/** Yields the first version of each object in order while the next ones are being read. */
async function* readAhead(
  source: AuditLogSource,
  problems: Problems,
  concurrency: number,
): AsyncGenerator<ObjectRead> {
  const waiting: ObjectRead[] = [];
  for await (const versions of byKey(source.versions())) {
    const original = originalOf(versions, problems);
    if (original === undefined) {
      continue;
    }
    const object = {
      key: original.key,
      ...(original.versionId !== undefined && { versionId: original.versionId }),
    };
    const body = source.read(original).catch((error: unknown) => ({
      reason: `object ${original.key} could not be read: ${error instanceof Error ? error.message : String(error)}`,
    }));
    waiting.push({ object, body });
    if (waiting.length >= concurrency) {
      yield waiting.shift() as ObjectRead;
    }
  }
  yield* waiting;
}

async function* byKey(versions: AsyncIterable<ObjectVersion>): AsyncGenerator<readonly ObjectVersion[]> {
  let group: ObjectVersion[] = [];
  for await (const version of versions) {
    const key = group[0]?.key;
    if (key !== undefined && version.key < key) {
      throw new RangeError(
        `the source lists ${version.key} behind ${key}; it must list keys in ascending order`,
      );
    }
    if (key !== undefined && version.key !== key) {
      yield group;
      group = [];
    }
    group.push(version);
  }
  if (group.length > 0) {
    yield group;
  }
}

/** Picks the version that was written first, which is the record. Everything on top of it is a problem. */
function originalOf(versions: readonly ObjectVersion[], problems: Problems): ObjectVersion | undefined {
  const key = versions[0]?.key ?? '';
  const sequence = sequenceOfKey(key);
  if (sequence === undefined) {
    problems.add({
      code: 'ObjectForeign',
      message: `${key} is not an object of the log, whose keys are entries/<12 digits>.ndjson`,
      key,
    });
    return undefined;
  }
  const contents = versions.filter(({ deleteMarker }) => !deleteMarker);
  const original = contents.at(-1);
  for (const { versionId = 'null' } of versions.filter(({ deleteMarker }) => deleteMarker)) {
    problems.add({
      code: 'ObjectHidden',
      message: `object ${key}, which begins with record ${sequence}, has a delete marker (${versionId})`,
      sequence,
      key,
      versionId,
    });
  }
  for (const { versionId = 'null' } of contents.slice(0, -1)) {
    problems.add({
      code: 'ObjectOverwritten',
      message: `object ${key}, which begins with record ${sequence}, has a later version ${versionId} on top`,
      sequence,
      key,
      versionId,
    });
  }
  return original;
}
