import type { Head } from '../../core/audit/format.ts';
import type { AuditLogSource, VerificationReport } from '../../core/audit/verify.ts';
import type { Invocation } from '../context.ts';
import { explainCopy } from '../copied-log.ts';
import { fact, openEnvironment } from '../environment.ts';
import { type ExitCode, usageError } from '../errors.ts';

export interface AuditVerifyOptions {
  /** A directory with a copy of the bucket; without it the bucket itself is read. */
  readonly from?: string;
  /** `<sequence>:<hash>` as an earlier verification printed it. */
  readonly expectHead?: string;
}

/** Reads a head as {@link formatHead} writes it. */
export function parseHead(text: string): Head {
  const [, sequence, hash] = /^(\d{1,12}):([0-9a-f]{64})$/i.exec(text.trim()) ?? [];
  if (sequence === undefined || hash === undefined) {
    throw usageError(
      'HeadInvalid',
      `--expect-head ${JSON.stringify(text.slice(0, 100))} is not <sequence>:<hash of 64 hex digits>; rekey audit verify prints it`,
    );
  }
  return { sequence: Number(sequence), hash: hash.toLowerCase() };
}

export const formatHead = ({ sequence, hash }: Head): string => `${sequence}:${hash}`;

/** Runs `rekey audit verify`: reads the whole log and names everything that was changed since it was written. */
export async function auditVerify(invocation: Invocation, options: AuditVerifyOptions): Promise<ExitCode> {
  const { context, output } = invocation;
  const expectHead = options.expectHead === undefined ? undefined : parseHead(options.expectHead);
  const { source, where, environment } = await openSource(invocation, options.from);
  const { verifyLog } = await import('../../core/audit/verify.ts');
  output.progress(`verifying ${where}`);
  const verify = () =>
    verifyLog(source, { now: context.clock.now(), ...(expectHead !== undefined && { expectHead }) });
  const report = await (options.from === undefined ? verify() : explainCopy(options.from, verify));
  output.clearProgress();
  const { intact, head, problems, problemsOmitted } = report;
  output.document({ environment, source: where, ...report, head: formatHead(head) });
  describe(invocation, where, report);
  if (intact) {
    output.line(`Intact: all ${report.records} records are there, unchanged and in order.`, 'good');
    if (expectHead === undefined) {
      output.note(
        'Note the head; with --expect-head a later verification also sees whether records were cut off the end.',
        'dim',
      );
    }
    return 0;
  }
  output.line();
  output.table(
    ['PROBLEM', 'RECORD', 'WHAT'],
    problems.map(({ code, sequence, lastSequence, message }) => [
      { text: code, tone: 'bad' },
      sequence === undefined
        ? '-'
        : lastSequence === undefined || lastSequence === sequence
          ? `${sequence}`
          : `${sequence}-${lastSequence}`,
      message,
    ]),
  );
  if (problemsOmitted > 0) {
    output.line(`and ${problemsOmitted} more`, 'bad');
  }
  output.line();
  output.line(`NOT intact: ${problems.length + problemsOmitted} problem(s).`, 'bad');
  return 1;
}

async function openSource(
  invocation: Invocation,
  from: string | undefined,
): Promise<{ source: AuditLogSource; where: string; environment: string | null }> {
  if (from !== undefined) {
    return { source: await invocation.context.auditCopy(from), where: from, environment: null };
  }
  const environment = await openEnvironment(invocation);
  const bucket = fact(environment, 'auditBucket');
  return {
    source: await invocation.cloud.auditSource(bucket),
    where: `s3://${bucket}`,
    environment: environment.name,
  };
}

function describe({ output }: Invocation, where: string, report: VerificationReport): void {
  const { rotations, revocations } = report;
  output.table(
    [],
    [
      [{ text: 'log', tone: 'dim' }, where],
      [
        { text: 'records', tone: 'dim' },
        `${report.records} in ${report.objects} objects, ${report.bytes} bytes`,
      ],
      [{ text: 'span', tone: 'dim' }, report.from === undefined ? '-' : `${report.from} to ${report.until}`],
      [
        { text: 'rotations', tone: 'dim' },
        `${rotations.succeeded} succeeded, ${rotations.failed} failed, ${rotations.open} under way`,
      ],
      [
        { text: 'revocations', tone: 'dim' },
        `${revocations.succeeded} succeeded, ${revocations.unproven} unproven, ${revocations.failed} failed, ${revocations.rejected} rejected, ${revocations.open} under way`,
      ],
      ...(report.unrecognised === 0
        ? []
        : [
            [
              { text: 'unrecognised', tone: 'dim' as const },
              `${report.unrecognised} events of forms that the catalogue does not know`,
            ],
          ]),
      [
        { text: 'head', tone: 'dim' },
        { text: formatHead(report.head), tone: 'strong' },
      ],
    ],
  );
}
