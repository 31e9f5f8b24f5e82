import { basename } from 'node:path';
import { dayOf } from '../../core/lifecycle/dates.ts';
import type { RuleDescription } from '../../core/policy/rule.ts';
import { checkTemplates, type TemplateReport } from '../../core/template/check.ts';
import { templateRules } from '../../core/template/rules/index.ts';
import type { Template } from '../../core/template/template.ts';
import type { Invocation } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { asJson } from '../output.ts';
import { type ReportedViolation, sarifLog } from '../templates/sarif.ts';
import { linesIn, readTemplateFiles, type TemplateFile } from '../templates/template-files.ts';
import { waiversIn } from '../waivers.ts';

/** Options of {@link policyCheck}. */
export interface PolicyCheckOptions {
  readonly files: readonly string[];
  /** Templates as they are deployed: a file for one, or a folder with files of the same names. */
  readonly baseline?: string;
  /** Longest time between two rotations, in days. @default 90 */
  readonly maximumRotationDays?: number;
  /** File of waivers. @default rekey.waivers.json, where there is one */
  readonly waivers?: string;
  readonly sarif: boolean;
}

/**
 * Runs `rekey policy check <files>`: holds templates and plans to the rules. Asks AWS for nothing.
 * @returns 1 if a rule of severity error is broken
 * @throws CliError `TemplateUnreadable`, `WaiversInvalid`
 */
export async function policyCheck(
  { output, context }: Pick<Invocation, 'output' | 'context'>,
  options: PolicyCheckOptions,
): Promise<ExitCode> {
  const files = await readTemplateFiles(options.files);
  const report = checkTemplates({
    templates: files.map(({ template }) => template),
    deployed: await deployedOf(files, options.baseline),
    waivers: [...waiversIn(options.waivers), ...files.flatMap(({ acknowledged }) => acknowledged)],
    today: dayOf(context.clock.now()),
    ...(options.maximumRotationDays !== undefined && {
      settings: { maximumRotationDays: options.maximumRotationDays },
    }),
  });
  const violations = reported(files, report);
  const rules = templateRules.map(({ description }) => description);
  if (options.sarif) {
    context.stdout.write(`${asJson(sarifLog({ version: context.version, rules, violations }), 2)}\n`);
  } else {
    write(output, { files, violations, rules });
  }
  return report.violations.some(({ severity }) => severity === 'error') ? 1 : 0;
}

/** Pairs each template with the one that is deployed: one file with one, and those of folders by their names. */
async function deployedOf(
  files: readonly TemplateFile[],
  baseline: string | undefined,
): Promise<ReadonlyMap<string, Template>> {
  if (baseline === undefined) return new Map();
  const before = await readTemplateFiles([baseline]);
  const [only] = before;
  if (only !== undefined && before.length === 1 && files.length === 1) {
    return new Map(files.map(({ name }) => [name, only.template]));
  }
  const byName = new Map(before.map((one) => [basename(one.path), one.template]));
  return new Map(
    files.flatMap(({ name, path }) => {
      const found = byName.get(basename(path));
      return found === undefined ? [] : [[name, found]];
    }),
  );
}

function reported(
  files: readonly TemplateFile[],
  { violations, waived }: TemplateReport,
): readonly ReportedViolation[] {
  const lineOf = linesIn(files);
  const all = [
    ...violations.map((violation) => ({ violation, reason: undefined })),
    ...waived.map((violation) => ({ violation, reason: violation.waiver.reason })),
  ];
  return all.map(({ violation: { place, rule, severity, subject, message, fix }, reason }) => {
    const line = lineOf(place.template, place.pointer);
    return {
      rule,
      severity,
      subject,
      message,
      fix,
      file: place.template,
      property: place.property,
      ...(line !== undefined && { line }),
      ...(reason !== undefined && { waived: reason }),
    };
  });
}

interface Written {
  readonly files: readonly TemplateFile[];
  readonly violations: readonly ReportedViolation[];
  readonly rules: readonly RuleDescription[];
}

function write(output: Invocation['output'], { files, violations, rules }: Written): void {
  const controls = new Map(rules.map((rule) => [rule.id, rule.controls]));
  const standing = violations.filter(({ waived }) => waived === undefined);
  output.document({
    files: files.map(({ name }) => name),
    violations: standing.map(({ rule, severity, subject, message, fix, file, line }) => ({
      rule,
      severity,
      subject,
      message,
      fix,
      controls: controls.get(rule) ?? [],
      file,
      line: line ?? null,
    })),
    waived: violations.flatMap(({ rule, subject, file, waived }) =>
      waived === undefined ? [] : [{ rule, subject, file, reason: waived }],
    ),
  });
  for (const { rule, severity, subject, message, fix, file, line } of standing) {
    output.line(`${severity}  ${rule}  ${subject}`, severity === 'error' ? 'bad' : 'warn');
    output.line(`  ${message}`);
    output.line(`  ${file}${line === undefined ? '' : `:${line}`}`, 'dim');
    output.line(`  to do: ${fix}`);
    output.line();
  }
  const count = (severity: RuleDescription['severity']) =>
    standing.filter((one) => one.severity === severity).length;
  const [errors, warnings, waived] = [count('error'), count('warning'), violations.length - standing.length];
  output.line(
    `${plural(files.length, 'file')}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}${waived > 0 ? `, ${waived} waived` : ''}`,
    errors > 0 ? 'bad' : 'good',
  );
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
