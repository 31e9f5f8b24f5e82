import { demandOf } from '../../core/policy/demands.ts';
import type { Answer, Outcome } from '../../core/policy/examine.ts';
import type { EnvironmentFacts } from '../../core/policy/facts.ts';
import { policyRules } from '../../core/policy/rules/index.ts';
import type { Invocation } from '../context.ts';
import { type ExitCode, usageError } from '../errors.ts';
import type { Tone } from '../output.ts';
import { examineFile, oneEnvironment } from './policy-configuration.ts';

/** Options of {@link policyExplain}. */
export interface PolicyExplainOptions {
  /** Path of the configuration file. */
  readonly config: string;
  /** Rule to say all of, in place of a line for each. */
  readonly rule?: string;
}

const tones: Readonly<Record<Outcome, Tone>> = {
  met: 'good',
  broken: 'bad',
  waived: 'warn',
  'not asked': 'dim',
};

/**
 * Runs `rekey policy explain`: shows each rule for one secret or one environment. It says what the rule demands and where that
 * stands, what is set and where that stands.
 *
 * @param name - key or full name of a secret; the environment itself where it is left out
 */
export async function policyExplain(
  invocation: Pick<Invocation, 'context' | 'output' | 'environment'>,
  name: string | undefined,
  { config, rule }: PolicyExplainOptions,
): Promise<ExitCode> {
  const { output } = invocation;
  const { environments, answers } = await examineFile(config, invocation);
  const found = subjectOf(environments, invocation.environment, name);
  const known = policyRules.map(({ id }) => id as string);
  if (rule !== undefined && !known.includes(rule)) {
    throw usageError('UsageInvalid', `there is no rule ${rule}; there are: ${known.join(', ')}`);
  }
  const mine = answers.filter(
    (answer) =>
      answer.environment === found.environment.name &&
      answer.secret === found.secret &&
      (rule === undefined || answer.rule === rule),
  );
  if (rule !== undefined && mine.length === 0) {
    throw usageError('UsageInvalid', `the rule ${rule} does not apply to ${found.subject}`);
  }
  const { stage } = found.environment.policy;
  output.document({
    subject: found.subject,
    stage: stage.value,
    rules: mine.map(({ environment: _, secret: __, subject: ___, ...answer }) => ({
      ...answer,
      controls: policyRules.find(({ id }) => id === answer.rule)?.controls ?? [],
    })),
  });
  output.line(
    `${found.subject}, of stage ${stage.value}${stage.from === 'default' ? ' (default)' : ` (${stage.from})`}`,
    'strong',
  );
  output.table(
    ['RULE', '', 'DEMANDED', 'BY', 'IS', 'BY'],
    mine.map((answer) => [
      answer.rule,
      { text: answer.outcome, tone: tones[answer.outcome] },
      answer.demand?.value ?? '-',
      short(answer.demand?.from, found.environment),
      answer.setting?.value ?? '-',
      short(answer.setting?.from, found.environment),
    ]),
  );
  for (const answer of mine) {
    if (rule !== undefined || answer.broken !== undefined) tell(answer, output, rule !== undefined);
  }
  const reason = demandOf('cadenceReason', found.environment.policy.layers);
  if (reason !== undefined) output.line(`cadenceReason (${reason.from}): ${reason.value}`, 'dim');
  return 0;
}

function subjectOf(
  environments: readonly EnvironmentFacts[],
  chosen: string | undefined,
  name: string | undefined,
) {
  if (name === undefined) {
    const environment = oneEnvironment(environments, chosen);
    return { environment, secret: undefined, subject: environment.path };
  }
  const among = chosen === undefined ? environments : [oneEnvironment(environments, chosen)];
  const found = among.flatMap((environment) =>
    environment.secrets
      .filter((secret) => secret.key === name || secret.name === name || secret.path === name)
      .map((secret) => ({ environment, secret: secret.key, subject: secret.path })),
  );
  const [first, ...others] = found;
  if (first === undefined) {
    const keys = among.flatMap(({ secrets }) => secrets.map(({ key }) => key));
    throw usageError(
      'UsageInvalid',
      `no secret ${name}; there are: ${[...new Set(keys)].join(', ') || 'none'}`,
    );
  }
  if (others.length > 0) {
    throw usageError(
      'UsageInvalid',
      `${name} is in several environments; name one with --environment: ${found.map(({ environment }) => environment.name).join(', ')}`,
    );
  }
  return first;
}

/** Shortens a path of the environment itself, which the first line names. */
const short = (from: string | undefined, { path }: EnvironmentFacts): string =>
  from === undefined ? '' : from.startsWith(`${path}.`) ? from.slice(path.length + 1) : from;

function tell(answer: Answer, output: Invocation['output'], full: boolean): void {
  const rule = policyRules.find(({ id }) => id === answer.rule);
  output.line();
  output.line(`${answer.rule}${answer.outcome === 'broken' ? `, ${answer.severity}` : ''}`, 'strong');
  if (full && rule !== undefined) {
    output.line(`  ${rule.demand} ${rule.reason}`);
    output.line(`  ${rule.controls.join('; ')}`, 'dim');
  }
  if (answer.broken !== undefined) {
    output.line(`  ${answer.broken.message}`);
    output.line(`  ${answer.broken.fix}`);
  }
  if (answer.waiver !== undefined) {
    output.line(
      `  waived until ${answer.waiver.until} (${answer.waiver.path}): ${answer.waiver.reason}`,
      'warn',
    );
  }
}
