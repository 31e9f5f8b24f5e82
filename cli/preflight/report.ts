import {
  allFindings,
  notLookedAt,
  type PreflightReport,
  type ProofFinding,
  type ProofState,
  proofDescriptions,
} from '../../core/preflight/prove.ts';
import type { SecretReference } from '../../core/preflight/reference.ts';
import type { Invocation } from '../context.ts';
import { asJson, type Cell, type Output, type Tone } from '../output.ts';
import { sarifLog } from '../templates/sarif.ts';
import { annotations } from './annotations.ts';
import type { PreflightFormat } from './formats.ts';
import { countFindings, junitReport } from './junit.ts';

/** A preflight that has ended. */
export interface Ended {
  readonly report: PreflightReport;
  readonly verdict: 'proven' | 'wrong' | 'not proven';
  readonly failOn: 'error' | 'warning';
  readonly environment: string;
  /** Number of files that were read. */
  readonly files: number;
  /** References of manifests for other environments. */
  readonly leftOut: readonly SecretReference[];
  readonly now: Date;
  readonly offline: boolean;
}

/** Writes a report in one of its forms. */
export function writeReport({ context, output }: Invocation, format: PreflightFormat, ended: Ended): void {
  const { report, environment, failOn, now } = ended;
  const write = (text: string) => {
    context.stdout.write(text);
  };
  switch (format) {
    case 'json':
      write(`${asJson(documentOf(ended), 2)}\n`);
      break;
    case 'sarif':
      write(`${asJson(sarifOf(context.version, report), 2)}\n`);
      break;
    case 'junit':
      write(junitReport({ report, environment, failOn, now }));
      break;
    case 'github':
      write(annotations(allFindings(report)));
      output.note(summaryOf(ended));
      break;
    default:
      output.document(documentOf(ended));
      writeTable(output, ended);
  }
}

const findingDocument = ({ check, severity, unproven, message, fix }: ProofFinding) => ({
  check,
  severity,
  unproven,
  message,
  fix,
  controls: proofDescriptions.find(({ id }) => id === check)?.controls ?? [],
});

const placeDocument = ({ place, format, secret, key }: SecretReference) => ({
  file: place.file,
  line: place.line ?? null,
  pointer: place.pointer,
  format,
  secret,
  key: key ?? null,
});

function documentOf({ report, verdict, environment, files, leftOut, offline }: Ended): object {
  return {
    environment,
    verdict,
    offline,
    files,
    references: report.references.map(({ reference, region, state, findings }) => ({
      ...placeDocument(reference),
      region,
      versionStage: reference.versionStage ?? null,
      versionId: reference.versionId ?? null,
      readBy: reference.readBy?.roleArn ?? reference.readBy?.roleName ?? null,
      state,
      findings: findings.map(findingDocument),
    })),
    manifests: report.manifests.map((finding) => ({
      file: finding.place.file,
      line: finding.place.line ?? null,
      pointer: finding.place.pointer,
      ...findingDocument(finding),
    })),
    leftOut: leftOut.map((one) => ({ ...placeDocument(one), environment: one.environment ?? null })),
    skipped: report.skipped,
    notLookedAt,
  };
}

const sarifOf = (version: string, report: PreflightReport): object =>
  sarifLog({
    version,
    rules: proofDescriptions,
    violations: allFindings(report).map(({ check, severity, subject, message, fix, place }) => ({
      rule: check,
      severity,
      subject,
      message,
      fix,
      file: place.file,
      property: [place.file, place.pointer],
      ...(place.line !== undefined && { line: place.line }),
    })),
  });

const tones: Readonly<Record<ProofState, Tone>> = {
  proven: 'good',
  doubtful: 'warn',
  broken: 'bad',
  'not proven': 'warn',
};
const severityTones: Readonly<Record<ProofFinding['severity'], Tone>> = {
  error: 'bad',
  warning: 'warn',
  info: 'dim',
};

const placeOf = ({ file, line }: ProofFinding['place']): string =>
  `${file}${line === undefined ? '' : `:${line}`}`;

/** Cuts what a manifest may write at any length. */
const clipped = (text: string): string => (text.length > 120 ? `${text.slice(0, 119)}…` : text);

function writeTable(output: Output, ended: Ended): void {
  const { report, leftOut, environment, verdict } = ended;
  for (const { check, severity, place, message, fix } of report.manifests) {
    output.line(`${severity}  ${check}  ${placeOf(place)}`, severityTones[severity]);
    output.line(`  ${message}`);
    output.line(`  -> ${fix}`, 'dim');
  }
  if (report.manifests.length > 0) output.line();
  if (report.references.length > 0) {
    output.table(
      ['STATE', 'SECRET', 'KEY', 'READ BY', 'PLACE'],
      report.references.flatMap(({ reference, state }): (readonly Cell[])[] => [
        [
          { text: state, tone: tones[state] },
          clipped(reference.secret),
          clipped(reference.key ?? '-'),
          clipped(reference.readBy?.name ?? '-'),
          placeOf(reference.place),
        ],
      ]),
    );
    output.line();
  }
  for (const { reference, findings } of report.references) {
    // What is only for information is the same for most, and is counted below.
    for (const { check, severity, message, fix } of findings.filter((one) => one.severity !== 'info')) {
      output.line(`${severity}  ${check}  ${clipped(reference.secret)}`, severityTones[severity]);
      output.line(`  ${message}`);
      output.line(`  ${placeOf(reference.place)}  ${reference.place.pointer}`, 'dim');
      output.line(`  -> ${fix}`, 'dim');
    }
  }
  const informed = report.references.filter(({ findings }) =>
    findings.some(({ severity }) => severity === 'info'),
  );
  if (informed.length > 0) {
    output.line(
      `${informed.length} of ${report.references.length} references do not say who reads, so nobody's permission was proven there: --reader <ARN of the role>`,
      'dim',
    );
  }
  if (leftOut.length > 0) {
    output.line(
      `${leftOut.length} more are in manifests for other environments than ${environment}, and were left out`,
      'dim',
    );
  }
  if (report.skipped.length > 0) output.line(`not made: ${report.skipped.join(', ')}`, 'dim');
  output.line(`not looked at: ${notLookedAt}`, 'dim');
  output.line(summaryOf(ended), verdict === 'proven' ? 'good' : verdict === 'wrong' ? 'bad' : 'warn');
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Says how it ended, in one line. */
function summaryOf({ report, files, verdict, offline }: Ended): string {
  const { errors, warnings, unproven } = countFindings(report);
  const of = (state: ProofState) => report.references.filter((one) => one.state === state).length;
  const counts = `${plural(errors, 'error')}, ${plural(warnings, 'warning')}, ${unproven} not proven`;
  const head = `${plural(files, 'file')}, ${plural(report.references.length, 'reference')}: `;
  if (report.references.length === 0 && report.manifests.length === 0) {
    return `${head}no reference to a secret was found.`;
  }
  if (offline) return `${head}nothing was asked of AWS, so none was proven; ${counts}.`;
  const good = of('proven') + of('doubtful');
  return `${head}${verdict === 'proven' ? 'all proven' : `${good} proven`}; ${counts}.`;
}
