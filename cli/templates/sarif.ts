import { createHash } from 'node:crypto';
import type { RuleDescription, Severity, Violation } from '../../core/policy/rule.ts';

/** Weight of what is reported; what is for information stops nothing. */
type ReportedSeverity = Severity | 'info';

/** A rule as a report describes it. */
export type ReportedRule = Omit<RuleDescription, 'severity'> & { readonly severity: ReportedSeverity };

/** A violation with what a report knows of its place. */
export interface ReportedViolation extends Omit<Violation, 'severity'> {
  readonly severity: ReportedSeverity;
  /** Path of the file, relative to the root of the sources, with slashes. */
  readonly file: string;
  readonly line?: number;
  /** Way within the thing, by which two violations of one rule are told apart. */
  readonly property?: readonly string[];
  /** Reason for which it does not count, where somebody waived it. */
  readonly waived?: string;
}

/** Parts of a SARIF log. */
interface SarifReport {
  readonly version: string;
  readonly rules: readonly ReportedRule[];
  readonly violations: readonly ReportedViolation[];
}

/**
 * Writes violations as a SARIF log. Rules carry the controls as tags, and waived violations their reason, as suppressions.
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function sarifLog({ version, rules, violations }: SarifReport): object {
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Rekey', semanticVersion: version, rules: rules.map(ruleOf) } },
        columnKind: 'utf16CodeUnits',
        results: violations.map((one) => resultOf(one, indexes.get(one.rule))),
      },
    ],
  };
}

/** Words of SARIF for severities. */
const levels = { error: 'error', warning: 'warning', info: 'note' } as const;

function ruleOf({ id, severity, demand, reason, controls }: ReportedRule): object {
  return {
    id,
    name: id,
    shortDescription: { text: demand },
    fullDescription: { text: reason },
    help: { text: `${demand} ${reason}` },
    defaultConfiguration: { level: levels[severity] },
    properties: { tags: ['security', ...controls], precision: 'very-high' },
  };
}

function resultOf(violation: ReportedViolation, ruleIndex: number | undefined): object {
  const { rule, severity, subject, message, fix, file, line, waived } = violation;
  return {
    ruleId: rule,
    ...(ruleIndex !== undefined && { ruleIndex }),
    level: levels[severity],
    message: { text: `${subject}: ${message}. To do: ${fix}.` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: file.split('/').map(encodeURIComponent).join('/') },
          region: { startLine: line ?? 1 },
        },
        logicalLocations: [{ fullyQualifiedName: subject, kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'rekeyViolation/v1': fingerprintOf(violation) },
    ...(waived !== undefined && { suppressions: [{ kind: 'external', justification: waived }] }),
  };
}

/** Makes a mark by which a violation is known again when the lines around it have moved. */
const fingerprintOf = ({ rule, subject, property = [] }: ReportedViolation): string =>
  createHash('sha256')
    .update([rule, subject, ...property].join('\u0000'))
    .digest('hex');
