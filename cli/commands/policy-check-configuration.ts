import { relative, resolve, sep } from 'node:path';
import { type Answer, violationsOf } from '../../core/policy/examine.ts';
import { policyRules } from '../../core/policy/rules/index.ts';
import type { Invocation } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { asJson } from '../output.ts';
import { type ReportedViolation, sarifLog } from '../templates/sarif.ts';
import { examineFile, oneEnvironment, withoutPolicy } from './policy-configuration.ts';

/** Options of {@link policyCheck}. */
export interface PolicyCheckOptions {
  /** Path of the configuration file. */
  readonly config: string;
  /** Writes a SARIF log in place of text. */
  readonly sarif: boolean;
}

/**
 * Runs `rekey policy check`: holds a configuration to its policy, and says what breaks it and what to do. Exit code 1 while an
 * error is among it. Asks AWS for nothing.
 */
export async function policyCheck(
  invocation: Pick<Invocation, 'context' | 'output' | 'environment'>,
  { config, sarif }: PolicyCheckOptions,
): Promise<ExitCode> {
  const { output, environment, context } = invocation;
  const examined = await examineFile(config, invocation);
  const chosen =
    environment === undefined ? undefined : oneEnvironment(examined.environments, environment).name;
  const answers = examined.answers.filter((answer) => chosen === undefined || answer.environment === chosen);
  const violations = violationsOf(answers);
  const waived = answers.filter(({ outcome }) => outcome === 'waived');
  if (sarif) {
    const file = relative(process.cwd(), resolve(config)).split(sep).join('/');
    context.stdout.write(
      `${asJson(sarifLog({ version: context.version, rules: policyRules, violations: reported(file, answers) }), 2)}\n`,
    );
    return violations.some(({ severity }) => severity === 'error') ? 1 : 0;
  }
  const errors = violations.filter(({ severity }) => severity === 'error').length;
  const warnings = violations.length - errors;

  output.document({
    violations: violations.map((violation) => ({
      ...violation,
      controls: policyRules.find(({ id }) => id === violation.rule)?.controls ?? [],
    })),
    waived: waived.map(({ rule, subject, waiver }) => ({
      rule,
      subject,
      reason: waiver?.reason,
      until: waiver?.until,
    })),
    errors,
    warnings,
  });
  if (violations.length > 0) {
    output.table(
      ['SEVERITY', 'RULE', 'WHERE'],
      violations.map(({ severity, rule, subject }) => [
        { text: severity, tone: severity === 'error' ? 'bad' : 'warn' },
        rule,
        subject,
      ]),
    );
    for (const { rule, subject, message, fix } of violations) {
      output.line();
      output.line(`${rule}  ${subject}`, 'strong');
      output.line(`  ${message}`);
      output.line(`  ${fix}`);
    }
    output.line();
  }
  for (const { rule, subject, waiver } of waived) {
    output.line(`waived until ${waiver?.until}: ${rule} of ${subject}: ${waiver?.reason}`, 'dim');
  }
  output.line(
    errors + warnings === 0
      ? `${asked(answers)} rules are met`
      : `${count(errors, 'error')}, ${count(warnings, 'warning')}`,
    errors > 0 ? 'bad' : warnings > 0 ? 'warn' : 'good',
  );
  for (const name of withoutPolicy(examined)) {
    if (chosen === undefined || chosen === name) {
      output.note(
        `no policy is written for ${name}: it was held to the defaults of production, and a synth asks for none of it. Write environments.${name}.policy`,
        'warn',
      );
    }
  }
  return errors > 0 ? 1 : 0;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** Counts the rules that asked for something. */
const asked = (answers: readonly Answer[]): number =>
  new Set(answers.filter(({ outcome }) => outcome !== 'not asked').map(({ rule }) => rule)).size;

/** Lists what is broken, waived or not, as a report of a file. */
const reported = (file: string, answers: readonly Answer[]): ReportedViolation[] =>
  answers.flatMap(({ rule, severity, subject, outcome, broken, waiver }) =>
    broken === undefined || outcome === 'met'
      ? []
      : [
          {
            rule,
            severity,
            subject,
            message: broken.message,
            fix: broken.fix.replace(/\.$/, ''),
            file,
            ...(waiver !== undefined && { waived: waiver.reason }),
          },
        ],
  );
