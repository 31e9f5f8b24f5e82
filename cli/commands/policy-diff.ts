import { comparePolicies, type Direction, type PolicyChange } from '../../core/policy/compare.ts';
import { type Answer, violationsOf } from '../../core/policy/examine.ts';
import type { EnvironmentFacts } from '../../core/policy/facts.ts';
import type { Violation } from '../../core/policy/rule.ts';
import type { Invocation } from '../context.ts';
import { type ExitCode, usageError } from '../errors.ts';
import type { Tone } from '../output.ts';
import { type ExaminedConfiguration, examineFile, oneEnvironment } from './policy-configuration.ts';

/** Options of {@link policyDiff}. */
export interface PolicyDiffOptions {
  /** Path of the configuration file. */
  readonly config: string;
  /** Path of another configuration file, from before. */
  readonly against?: string;
}

const tones: Readonly<Record<Direction, Tone>> = { tighter: 'good', looser: 'warn', other: 'dim' };

/** Differences between two environments, or of one between two files. */
interface Difference {
  readonly before: string;
  readonly after: string;
  readonly changes: readonly PolicyChange[];
  readonly begun: readonly Violation[];
  readonly ended: readonly Violation[];
}

/**
 * Runs `rekey policy diff`: compares the policies of two environments, or a file with an earlier one. Exit code 1 if, between two
 * files, one became looser or breaks more: somebody should look at that.
 *
 * @param names - two environments; none, with `against`
 */
export async function policyDiff(
  invocation: Pick<Invocation, 'context' | 'output' | 'environment'>,
  names: readonly string[],
  { config, against }: PolicyDiffOptions,
): Promise<ExitCode> {
  if ((names.length === 2) === (against !== undefined)) {
    throw usageError(
      'UsageInvalid',
      'name two environments to compare, such as dev prod, or an earlier file with --against',
    );
  }
  const { output, environment } = invocation;
  const now = await examineFile(config, invocation);
  const differences =
    against === undefined
      ? [between(now, names[0] ?? '', now, names[1] ?? '')]
      : overTime(await examineFile(against, invocation), now, environment);
  const loosened = differences.some(
    ({ changes, begun }) => begun.length > 0 || changes.some(({ direction }) => direction === 'looser'),
  );
  output.document({ differences, loosened: against === undefined ? null : loosened });
  for (const difference of differences) show(difference, output);
  return against !== undefined && loosened ? 1 : 0;
}

function overTime(
  before: ExaminedConfiguration,
  after: ExaminedConfiguration,
  chosen: string | undefined,
): Difference[] {
  const names = chosen === undefined ? after.environments.map(({ name }) => name) : [chosen];
  const known = before.environments.map(({ name }) => name);
  return names.flatMap((name) => (known.includes(name) ? [between(before, name, after, name)] : []));
}

function between(
  before: ExaminedConfiguration,
  one: string,
  after: ExaminedConfiguration,
  other: string,
): Difference {
  const [old, now] = [oneEnvironment(before.environments, one), oneEnvironment(after.environments, other)];
  const [had, has] = [violationsIn(old, before.answers), violationsIn(now, after.answers)];
  return {
    before: one,
    after: other,
    changes: comparePolicies(old.policy, now.policy),
    begun: has.filter((violation) => !had.some((earlier) => isSame(earlier, violation))),
    ended: had.filter((violation) => !has.some((later) => isSame(later, violation))),
  };
}

/** Lists the violations of an environment, with subjects as they are inside of it. */
const violationsIn = ({ name, path }: EnvironmentFacts, answers: readonly Answer[]): Violation[] =>
  violationsOf(answers.filter(({ environment }) => environment === name)).map((violation) => ({
    ...violation,
    subject: violation.subject === path ? 'environment' : violation.subject.slice(path.length + 1),
  }));

const isSame = (one: Violation, other: Violation): boolean =>
  one.rule === other.rule && one.subject === other.subject;

function show({ before, after, changes, begun, ended }: Difference, output: Invocation['output']): void {
  output.line(before === after ? after : `${before} → ${after}`, 'strong');
  if (changes.length + begun.length + ended.length === 0) {
    output.line('  the same policy, broken in the same places', 'dim');
    return;
  }
  output.table(
    ['', 'POLICY', 'BEFORE', 'AFTER'],
    changes.map(({ direction, what, before: was, after: is }) => [
      { text: direction === 'other' ? 'changed' : direction, tone: tones[direction] },
      what,
      was,
      is,
    ]),
  );
  for (const { rule, subject, message } of begun)
    output.line(`now broken: ${rule} of ${subject}: ${message}`, 'bad');
  for (const { rule, subject } of ended) output.line(`no longer broken: ${rule} of ${subject}`, 'good');
}
