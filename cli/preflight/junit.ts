import {
  allFindings,
  type PreflightReport,
  type ProofFinding,
  type ProvenReference,
} from '../../core/preflight/prove.ts';

/** Characters that XML 1.0 has no place for, even escaped. @see https://www.w3.org/TR/xml/#charsets */
const impossible = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Writes a text so that a parser gives back all of it but what XML cannot hold. */
export const xmlText = (text: string): string =>
  text.replace(impossible, '\ufffd').replace(/[&<>"'\t\n\r]/g, (one) => escapes[one] ?? one);

const attribute = (name: string, value: string | number): string => ` ${name}="${xmlText(String(value))}"`;

/** The report of a run, as JUnit has it. */
export interface JUnitReport {
  readonly report: PreflightReport;
  readonly environment: string;
  readonly failOn: 'error' | 'warning';
  readonly now: Date;
}

/**
 * Writes a report as JUnit XML: a suite for each manifest, a case for each reference. What is wrong is a failure; what was not
 * proven is an error, never a pass.
 * @see https://github.com/windyroad/JUnit-Schema/blob/master/JUnit.xsd
 */
export function junitReport({ report, environment, failOn, now }: JUnitReport): string {
  const files = [
    ...new Set([
      ...report.references.map(({ reference }) => reference.place.file),
      ...report.manifests.map(({ place }) => place.file),
    ]),
  ];
  const suites = files.map((file, id) =>
    suiteOf(file, id, {
      cases: [
        ...report.manifests.filter(({ place }) => place.file === file).map(caseOfManifest),
        ...report.references.filter(({ reference }) => reference.place.file === file).map(caseOf(failOn)),
      ],
      environment,
      now,
    }),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}

interface Case {
  readonly name: string;
  readonly className: string;
  /** Findings by which it does not pass. */
  readonly against: readonly ProofFinding[];
  readonly verdict: 'passed' | 'failure' | 'error';
  readonly remarks: readonly ProofFinding[];
}

const caseOf =
  (failOn: JUnitReport['failOn']) =>
  ({ reference, findings }: ProvenReference): Case => {
    const { secret, key, place, readBy } = reference;
    const wrong = findings.filter(
      ({ severity, unproven }) =>
        severity === 'error' || (failOn === 'warning' && severity === 'warning' && !unproven),
    );
    const open = findings.filter(({ unproven }) => unproven);
    const against = wrong.length > 0 ? wrong : open;
    return {
      name: `${secret}${key === undefined ? '' : ` ${key}`} at ${place.pointer}${place.line === undefined ? '' : ` (line ${place.line})`}`,
      className: readBy?.name ?? reference.format,
      against,
      verdict: wrong.length > 0 ? 'failure' : open.length > 0 ? 'error' : 'passed',
      remarks: findings.filter((one) => !against.includes(one)),
    };
  };

const caseOfManifest = (finding: ProofFinding): Case => ({
  name: `${finding.check} at ${finding.place.pointer}`,
  className: 'manifest',
  against: [finding],
  verdict: finding.severity === 'error' ? 'failure' : 'error',
  remarks: [],
});

function suiteOf(
  file: string,
  id: number,
  {
    cases,
    environment,
    now,
  }: { readonly cases: readonly Case[]; readonly environment: string; readonly now: Date },
): string {
  const count = (verdict: Case['verdict']) => cases.filter((one) => one.verdict === verdict).length;
  const attributes = [
    attribute('id', id),
    attribute('package', 'rekey.preflight'),
    attribute('name', file),
    attribute('timestamp', now.toISOString().slice(0, 19)),
    attribute('hostname', 'localhost'),
    attribute('tests', cases.length),
    attribute('failures', count('failure')),
    attribute('errors', count('error')),
    attribute('time', 0),
  ].join('');
  const remarks = cases.flatMap(({ name, remarks: all }) => all.map((one) => `${name}: ${textOf(one)}`));
  return [
    `  <testsuite${attributes}>`,
    `    <properties><property${attribute('name', 'environment')}${attribute('value', environment)}/></properties>`,
    ...cases.map(testCase),
    `    <system-out>${xmlText(remarks.join('\n'))}</system-out>`,
    '    <system-err></system-err>',
    '  </testsuite>',
    '',
  ].join('\n');
}

function testCase({ name, className, against, verdict }: Case): string {
  const open = `    <testcase${attribute('name', name)}${attribute('classname', className)}${attribute('time', 0)}`;
  const [first] = against;
  if (verdict === 'passed' || first === undefined) return `${open}/>`;
  return [
    `${open}>`,
    `      <${verdict}${attribute('message', first.message)}${attribute('type', first.check)}>${xmlText(against.map(textOf).join('\n'))}</${verdict}>`,
    '    </testcase>',
  ].join('\n');
}

const textOf = ({ check, message, fix }: ProofFinding): string => `${check}: ${message}. To do: ${fix}.`;

/** Counts what a report has of each kind. */
export const countFindings = (report: PreflightReport) => {
  const findings = allFindings(report);
  return {
    errors: findings.filter(({ severity }) => severity === 'error').length,
    warnings: findings.filter(({ severity, unproven }) => severity === 'warning' && !unproven).length,
    unproven: findings.filter(({ unproven }) => unproven).length,
  };
};
