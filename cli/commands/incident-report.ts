import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { verifyLog } from '../../core/audit/verify.ts';
import { busName } from '../../core/deployed/names.ts';
import { findIncident, type IncidentCourse, incidentsOf } from '../../core/incident/incident-course.ts';
import type { Invocation } from '../context.ts';
import { explainCopy } from '../copied-log.ts';
import { confirm, type Environment, fact, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode, usageError } from '../errors.ts';
import { IncidentCollector } from '../incident-records.ts';
import { type Evidence, evidenceFiles, type ReportFile, sumsOf } from '../report/evidence.ts';
import { incidentPage } from '../report/incident-page.ts';
import { postmortem } from '../report/postmortem.ts';
import { formatHead } from './audit-verify.ts';
import { unknownIncident } from './incident.ts';

export interface IncidentReportOptions {
  /** Folder that the report is written into. */
  readonly out: string;
  /** A directory with a copy of the log's bucket. */
  readonly from?: string;
  readonly legalHold: boolean;
  readonly reason?: string;
  readonly yes: boolean;
}

/**
 * Runs `rekey incident report`: verifies the log, and writes what it tells of an incident, with the records themselves. Exit code 1
 * if the log is not intact; the report is written all the same, and says so.
 */
export async function incidentReport(
  invocation: Invocation,
  id: string,
  options: IncidentReportOptions,
): Promise<ExitCode> {
  const { context, output } = invocation;
  const { from, out } = options;
  if (options.legalHold && from !== undefined) {
    throw usageError(
      'UsageInvalid',
      '--legal-hold holds objects of the bucket, and --from reads a copy; leave one out',
    );
  }
  await checkFree(out);
  const environment = from === undefined ? await openEnvironment(invocation) : undefined;
  const bucket = environment === undefined ? undefined : fact(environment, 'auditBucket');
  const source = bucket === undefined ? (from ?? '') : `s3://${bucket}`;
  const collector = new IncidentCollector(
    bucket === undefined ? await context.auditCopy(from ?? '') : await invocation.cloud.auditSource(bucket),
  );
  output.progress(`reading and verifying ${source}`);
  const readAt = context.clock.now();
  const verify = () => verifyLog(collector, { now: readAt });
  const report = await (from === undefined ? verify() : explainCopy(from, verify));
  output.clearProgress();
  const incident = findIncident(incidentsOf(collector.records.map(({ record }) => record)), id);
  if (incident === undefined) throw unknownIncident(id, `in ${source}; look into another log`);
  const evidence = evidenceOf(incident, collector, {
    readAt,
    verification: { ...report, head: formatHead(report.head), source },
  });
  const name = environment?.name ?? environmentIn(collector, incident);
  const files: readonly ReportFile[] = [
    { path: 'report.html', bytes: Buffer.from(incidentPage(incident, name, evidence)) },
    { path: 'postmortem.md', bytes: Buffer.from(postmortem(incident, name)) },
    ...evidenceFiles(evidence),
  ];
  await writeFiles(out, [...files, sumsOf(files)]);
  const held =
    options.legalHold && environment !== undefined && bucket !== undefined
      ? await hold(invocation, environment, bucket, incident, evidence, options)
      : 0;
  output.document({
    environment: environment?.name ?? null,
    id: incident.id,
    state: incident.state,
    directory: out,
    files: [...files.map(({ path }) => path), 'SHA256SUMS'],
    records: evidence.records.length,
    intact: report.intact,
    head: evidence.verification.head,
    heldObjects: held,
  });
  output.line(
    `Wrote ${files.length + 1} files to ${out}: report.html, postmortem.md, ${evidence.records.length} records in evidence/.`,
    'good',
  );
  if (held > 0) output.line(`Placed a legal hold on ${held} objects of ${source}.`, 'good');
  if (report.intact) return 0;
  output.note(
    `The log is NOT intact (${report.problems.length + report.problemsOmitted} problems); the report says so, rekey audit verify names them.`,
    'bad',
  );
  return 1;
}

function evidenceOf(
  incident: IncidentCourse,
  collector: IncidentCollector,
  rest: Pick<Evidence, 'readAt' | 'verification'>,
): Evidence {
  const wanted = new Set(incident.sequences);
  const records = collector.records
    .map(({ evidence }) => evidence)
    .filter(({ sequence }) => wanted.has(sequence))
    .sort((a, b) => a.sequence - b.sequence);
  return { ...rest, records, objects: collector.objectsOf(records) };
}

/** Reads in the records of which environment they are; a copy does not say. */
function environmentIn({ records }: IncidentCollector, { sequences }: IncidentCourse): string {
  const [first] = records.filter(({ record }) => record.sequence === sequences[0]);
  const metadata = Object(first?.record.event.detail.metadata) as { readonly environment?: unknown };
  return typeof metadata.environment === 'string' ? metadata.environment : 'unknown environment';
}

async function checkFree(out: string): Promise<void> {
  const there = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw notWritten(out, error);
  });
  if (there.length > 0) {
    throw usageError('UsageInvalid', `${out} is not empty; name a folder that does not exist yet`);
  }
}

async function writeFiles(out: string, files: readonly ReportFile[]): Promise<void> {
  try {
    for (const { path, bytes } of files) {
      const file = join(out, path);
      await mkdir(dirname(file), { recursive: true });
      // Nothing that is there is written over.
      await writeFile(file, bytes, { flag: 'wx' });
    }
  } catch (error) {
    throw notWritten(out, error as NodeJS.ErrnoException);
  }
}

const notWritten = (out: string, cause: NodeJS.ErrnoException): CliError =>
  new CliError(
    3,
    'ReportNotWritten',
    `the report could not be written to ${out} (${cause.code ?? 'unknown'})`,
    {
      cause,
    },
  );

/** Keeps the objects of an incident from being deleted, and records it. Again is the same as once. */
async function hold(
  invocation: Invocation,
  environment: Environment,
  bucket: string,
  incident: IncidentCourse,
  { objects }: Evidence,
  { reason, yes }: IncidentReportOptions,
): Promise<number> {
  const { cloud, context, output } = invocation;
  output.note(
    `A legal hold keeps ${objects.length} objects of s3://${bucket} from being deleted, also after their lock has ended, until somebody with more permissions takes it off.`,
  );
  await confirm(invocation, yes, `Place a legal hold on ${objects.length} objects?`);
  const [{ createEvent }, { arn: actor }, holds] = await Promise.all([
    import('../../core/events/create.ts'),
    cloud.identity(),
    cloud.legalHolds(bucket),
  ]);
  for (const [index, { key, versionId }] of objects.entries()) {
    output.progress(`holding ${index + 1} of ${objects.length}`);
    await holds.place(key, versionId);
  }
  const bus = await cloud.bus(environment.facts.eventBus ?? busName(environment.name));
  const { clock, random } = context;
  const event = createEvent(
    { source: 'rekey.cli', environment: environment.name, actor, clock, random },
    'Legal Hold Placed',
    {
      incident: incident.id.slice(0, 256),
      objects: objects.length,
      firstKey: objects[0]?.key ?? '',
      lastKey: objects.at(-1)?.key ?? '',
      ...(reason !== undefined && { reason }),
    },
    { correlationId: incident.id.slice(0, 256) },
  );
  await bus.publish([event]);
  return objects.length;
}
