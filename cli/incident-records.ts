import { type AuditRecord, objectLines, parseLine } from '../core/audit/format.ts';
import type { AuditLogSource, ObjectVersion } from '../core/audit/verify.ts';
import { concernsIncidents } from '../core/incident/concerns.ts';
import type { AuditObjects } from '../core/operator-ports.ts';
import { keyBefore, recordsAfter } from './audit-tail-reader.ts';
import type { Invocation } from './context.ts';
import { explainCopy } from './copied-log.ts';
import { fact, openEnvironment } from './environment.ts';
import { type EvidenceObject, type EvidenceRecord, sha256 } from './report/evidence.ts';

/** Records that incidents are made of, read from a log that goes on. */
export interface IncidentRecords {
  readonly environment: string | null;
  readonly where: string;
  /** Reads what was added since the last call, and gives all records so far. */
  next(): Promise<readonly AuditRecord[]>;
  /** Counts the lines that are no intact record. */
  unreadable(): number;
}

/** Opens the records since a time, of the environment's log or of a copy in a directory. */
export async function openRecords(
  invocation: Invocation,
  since: Date,
  from: string | undefined,
): Promise<IncidentRecords> {
  if (from !== undefined) return await copiedRecords(invocation, since, from);
  const environment = await openEnvironment(invocation);
  const bucket = fact(environment, 'auditBucket');
  const objects: AuditObjects = await invocation.cloud.auditObjects(bucket);
  const records: AuditRecord[] = [];
  let after: string | undefined;
  let unreadable = 0;
  return {
    environment: environment.name,
    where: `s3://${bucket}`,
    unreadable: () => unreadable,
    next: async () => {
      after ??= await keyBefore(objects, since);
      const reading = recordsAfter(objects, after);
      let step = await reading.next();
      for (; !step.done; step = await reading.next()) {
        if (step.value.kind === 'unreadable') unreadable += 1;
        else if (wanted(step.value.record, since)) records.push(step.value.record);
      }
      after = step.value;
      return records;
    },
  };
}

const wanted = (record: AuditRecord, since: Date): boolean =>
  new Date(record.recordedAt) >= since && concernsIncidents(record.event);

async function copiedRecords({ context }: Invocation, since: Date, from: string): Promise<IncidentRecords> {
  const source = await context.auditCopy(from);
  const collector = new IncidentCollector(source);
  await explainCopy(from, async () => {
    for await (const version of source.versions()) {
      if (!version.deleteMarker) await collector.read(version);
    }
  });
  const records = collector.records.map(({ record }) => record).filter((record) => wanted(record, since));
  return {
    environment: null,
    where: from,
    unreadable: () => collector.unreadable,
    next: async () => records,
  };
}

/** A record of an incident, read, with its bytes. */
export interface CollectedRecord {
  readonly record: AuditRecord;
  readonly evidence: EvidenceRecord;
}

/** The source of a log that notes the records of incidents while somebody else, a verification, reads it. */
export class IncidentCollector implements AuditLogSource {
  readonly records: CollectedRecord[] = [];
  unreadable = 0;
  readonly #source: AuditLogSource;
  readonly #objects = new Map<string, Omit<EvidenceObject, 'sequences'>>();

  constructor(source: AuditLogSource) {
    this.#source = source;
  }

  versions(): AsyncIterable<ObjectVersion> {
    return this.#source.versions();
  }

  async read(version: ObjectVersion): Promise<Uint8Array> {
    const body = await this.#source.read(version);
    const { key, versionId } = version;
    let found = false;
    for (const { bytes, ended } of objectLines(body)) {
      const line = ended ? parseLine(bytes) : undefined;
      if (line?.kind !== 'intact') {
        this.unreadable += 1;
      } else if (concernsIncidents(line.record.event)) {
        found = true;
        const { sequence, previous, recordedAt } = line.record;
        const evidence = {
          sequence,
          hash: line.hash,
          previous,
          recordedAt,
          line: Uint8Array.from(bytes),
          key,
        };
        this.records.push({ record: line.record, evidence });
      }
    }
    if (found) {
      const object = { key, bytes: body.length, sha256: sha256(body) };
      this.#objects.set(key, { ...object, ...(versionId !== undefined && { versionId }) });
    }
    return body;
  }

  /** Gives the objects that hold these records, in order. */
  objectsOf(records: readonly EvidenceRecord[]): readonly EvidenceObject[] {
    const byKey = Map.groupBy(records, ({ key }) => key);
    return [...byKey]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([key, held]) => {
        const object = this.#objects.get(key);
        return object === undefined ? [] : { ...object, sequences: held.map(({ sequence }) => sequence) };
      });
  }
}
