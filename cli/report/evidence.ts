import { createHash } from 'node:crypto';
import type { VerificationReport } from '../../core/audit/verify.ts';

/** A record of an incident, with the bytes that stand in the log. */
export interface EvidenceRecord {
  readonly sequence: number;
  readonly hash: string;
  readonly previous: string;
  readonly recordedAt: string;
  /** The line as it stands in the log, without its line feed. */
  readonly line: Uint8Array;
  readonly key: string;
}

/** An object of the log that holds records of an incident. */
export interface EvidenceObject {
  readonly key: string;
  /** Version that was read; absent in a copy, which has no versions. */
  readonly versionId?: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Sequences of the records in it that belong to the incident. */
  readonly sequences: readonly number[];
}

/** The records of an incident, and what the audit log proves of them. */
export interface Evidence {
  readonly readAt: Date;
  readonly records: readonly EvidenceRecord[];
  readonly objects: readonly EvidenceObject[];
  readonly verification: Omit<VerificationReport, 'head'> & {
    readonly head: string;
    readonly source: string;
  };
}

/** One file of a report, by its path below the report's folder. */
export interface ReportFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const text = (content: string): Uint8Array => Buffer.from(content, 'utf8');
const document = (value: unknown): Uint8Array => text(`${JSON.stringify(value, null, 2)}\n`);

/** Writes the files of the evidence. */
export function evidenceFiles({ records, objects, verification, readAt }: Evidence): readonly ReportFile[] {
  const lines = records.flatMap(({ line }) => [line, text('\n')]);
  return [
    { path: 'evidence/records.ndjson', bytes: Buffer.concat(lines) },
    {
      path: 'evidence/objects.json',
      bytes: document({
        source: verification.source,
        objects,
        records: records.map(({ sequence, hash, previous, key }) => ({ sequence, hash, previous, key })),
      }),
    },
    {
      path: 'evidence/verification.json',
      bytes: document({ verifiedAt: readAt.toISOString(), ...verification }),
    },
    { path: 'evidence/README.md', bytes: text(readme(verification.head)) },
  ];
}

/** Writes the sums of files, as `sha256sum -c` reads them. */
export const sumsOf = (files: readonly ReportFile[]): ReportFile => ({
  path: 'SHA256SUMS',
  bytes: text(files.map(({ path, bytes }) => `${sha256(bytes)}  ${path}\n`).join('')),
});

const readme = (head: string): string => `# Evidence

| file | holds |
|---|---|
| \`records.ndjson\` | every record of the incident, byte for byte as it stands in the audit log |
| \`objects.json\` | the objects of the log that hold them, with version and SHA-256, and the hash of each record |
| \`verification.json\` | what a verification of the whole log found when this was written |
| \`../SHA256SUMS\` | the sums of all files |

Three checks, none of which needs Rekey but the last:

1. Nothing here was changed since: in the folder above, \`sha256sum -c SHA256SUMS\`.
2. Each record has its hash: it is the SHA-256 of the line without its member \`hash\`, as the page on the audit log says.
3. The records stand in the log: \`rekey audit verify --expect-head ${head}\` on the bucket or a copy of it. It reads every record
   up to that head and beyond, and names each that was changed. The record with the sequence here must have the hash here.

The sums show that the files agree with each other. They show nothing about who wrote them: note the head, or the sum of
\`SHA256SUMS\`, where another person keeps it.
`;
