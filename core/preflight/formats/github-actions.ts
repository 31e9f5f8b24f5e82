import { Collector, readByOf, type Surrounding } from '../collector.ts';
import {
  isObject,
  type Json,
  listOf,
  type ManifestDocument,
  objectOf,
  textOf,
  valueIn,
} from '../document.ts';
import { readsIn } from '../scripts.ts';
import { isSecretArn, secretIdOf } from '../secret-id.ts';
import { type ManifestFinder, someDocument } from './finder.ts';

const isWorkflow = (value: unknown): value is Json =>
  isObject(value) &&
  isObject(value.jobs) &&
  ('on' in value || 'true' in value) &&
  Object.values(value.jobs).some(
    (job) => isObject(job) && ('steps' in job || 'uses' in job || 'runs-on' in job),
  );
const isAction = (value: unknown): value is Json =>
  isObject(value) && valueIn(value, 'runs', 'using') === 'composite';

const longest = 20;

/**
 * Finds what steps of GitHub read, by AWS's own action, two others, and the AWS CLI in scripts. The role is that of the
 * credentials that the job took last.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_github.html
 */
export const githubActions: ManifestFinder = {
  format: 'github-actions',
  title: 'Workflows and composite actions of GitHub',
  recognizes: (file) => someDocument(file, (value) => isWorkflow(value) || isAction(value)),
  find: (file) => {
    const collector = new Collector('github-actions', file);
    for (const document of file.documents) {
      const { value } = document;
      if (isAction(value)) {
        collectSteps({
          collector,
          document,
          steps: listOf(valueIn(value, 'runs', 'steps')),
          way: ['runs', 'steps'],
          env: {},
          variants: [{}],
          name: textOf(value.name) ?? 'action',
        });
      }
      if (!isWorkflow(value)) continue;
      for (const [name, job] of Object.entries(objectOf(value.jobs))) {
        if (!isObject(job)) continue;
        const environment = textOf(job.environment) ?? textOf(objectOf(job.environment).name);
        collectSteps({
          collector,
          document,
          steps: listOf(job.steps),
          way: ['jobs', name, 'steps'],
          env: { ...objectOf(value.env), ...objectOf(job.env) },
          variants: variantsOf(objectOf(valueIn(job, 'strategy', 'matrix'))),
          name: `job ${name}`,
          ...(environment !== undefined && { environment }),
        });
      }
    }
    return collector.reading;
  },
};

/** Lists the combinations of a matrix whose values are literal, as expressions and what they give. */
function variantsOf(matrix: Json): readonly Readonly<Record<string, string>>[] {
  let variants: readonly Readonly<Record<string, string>>[] = [{}];
  for (const [name, values] of Object.entries(matrix)) {
    const texts = listOf(values).flatMap((value) => textOf(value) ?? []);
    if (name === 'include' || name === 'exclude' || texts.length === 0) continue;
    variants = variants
      .flatMap((one) => texts.map((text) => ({ ...one, [`matrix.${name}`]: text })))
      .slice(0, longest);
  }
  const included = listOf(matrix.include).filter(isObject);
  if (included.length === 0) return variants;
  return [
    ...(variants.length === 1 && Object.keys(variants[0] ?? {}).length === 0 ? [] : variants),
    ...included
      .slice(0, longest)
      .map((one) =>
        Object.fromEntries(
          Object.entries(one).map(([name, value]) => [`matrix.${name}`, textOf(value) ?? '']),
        ),
      ),
  ];
}

interface Steps {
  readonly collector: Collector;
  readonly document: ManifestDocument;
  readonly steps: readonly unknown[];
  readonly way: readonly string[];
  readonly env: Json;
  readonly variants: readonly Readonly<Record<string, string>>[];
  readonly name: string;
  readonly environment?: string;
}

function collectSteps(job: Steps): void {
  const { collector, document, way, name } = job;
  let role: string | undefined;
  let region: string | undefined;
  // Each combination of a matrix may name another secret; the same one counts once for each environment.
  const seen = new Set<string>();
  for (const [index, step] of job.steps.entries()) {
    if (!isObject(step)) continue;
    const env = { ...job.env, ...objectOf(step.env) };
    const inputs = Object.fromEntries(
      Object.entries(objectOf(step.with)).map(([key, value]) => [key.toLowerCase(), value]),
    );
    const uses = (textOf(step.uses) ?? '').split('@')[0]?.toLowerCase() ?? '';
    if (uses === 'aws-actions/configure-aws-credentials') {
      role = literal(textOf(inputs['role-to-assume']), env);
      region = literal(textOf(inputs['aws-region']), env);
    }
    const around = (variant: Readonly<Record<string, string>>, own?: string): Surrounding => ({
      region: own ?? region ?? literal(textOf(env.AWS_REGION) ?? textOf(env.AWS_DEFAULT_REGION), env),
      readBy: readByOf(name, role),
      environment: literal(
        job.environment === undefined ? undefined : evaluated(job.environment, env, variant),
        env,
      ),
    });
    const take = (text: string, place: readonly string[], more: Surrounding, mark: string): void => {
      const key = [String(index), text, ...place, mark, more.environment ?? ''].join('\0');
      if (seen.has(key)) return;
      seen.add(key);
      collector.take(secretIdOf(text), collector.at(document, [...way, String(index), ...place]), more);
    };
    for (const variant of job.variants) {
      const evaluate = (text: string): string => evaluated(text, env, variant);
      for (const [input, text] of namedIn(uses, inputs)) {
        const id = evaluate(text);
        if (id.endsWith('*')) noteAll(job, [String(index), 'with', input]);
        else if (id !== '')
          take(
            id,
            ['with', input],
            around(variant, literal(textOf(inputs.aws_default_region) ?? textOf(inputs.aws_region), env)),
            '',
          );
      }
      const variables = new Map(
        Object.entries(env).flatMap(([key, value]) => {
          const text = textOf(value);
          return text === undefined ? [] : [[key, evaluate(text)] as const];
        }),
      );
      for (const [at, read] of readsIn(evaluate(textOf(step.run) ?? ''), variables).entries()) {
        const { secret, line: _, ...more } = read;
        take(secret, ['run'], { ...around(variant, read.region), ...more }, String(at));
      }
    }
  }
  collectVariables(job);
}

/** Lists the inputs of an action that name secrets. */
function namedIn(uses: string, inputs: Json): readonly (readonly [input: string, text: string])[] {
  const lines = (input: string): readonly (readonly [string, string])[] =>
    (textOf(inputs[input]) ?? '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [input, line] as const);
  if (uses === 'aws-actions/aws-secretsmanager-get-secrets') {
    // A line is an id, or an alias before it, which may be empty.
    return lines('secret-ids').map(([input, line]) => [input, line.slice(line.indexOf(',') + 1).trim()]);
  }
  if (uses === 'say8425/aws-secrets-manager-actions') return lines('secret_name');
  return uses === 'abhilash1in/aws-secrets-manager-action' ? lines('secrets') : [];
}

function noteAll({ collector, document, way }: Steps, place: readonly string[]): void {
  collector.problem(
    'ReferenceUnresolved',
    collector.at(document, [...way, ...place]),
    'a name that ends in * stands for all secrets that begin so',
    'name each secret, so that each can be checked',
  );
}

/** Puts what is known in the place of expressions: variables of `env`, and values of the matrix. */
function evaluated(text: string, env: Json, variant: Readonly<Record<string, string>>): string {
  let result = text;
  for (let round = 0; round < 3 && result.includes('${{'); round += 1) {
    result = result.replaceAll(/\$\{\{\s*([\w.-]{1,200})\s*\}\}/g, (whole, name: string) => {
      const variable = name.startsWith('env.') ? textOf(env[name.slice(4)]) : undefined;
      return variant[name] ?? variable ?? whole;
    });
  }
  return result;
}

/** Gives a text that is known, and undefined for one with an expression in it. */
function literal(text: string | undefined, env: Json): string | undefined {
  const result = text === undefined ? undefined : evaluated(text, env, {});
  return result === undefined || /\$\{\{/.test(result) ? undefined : result;
}

/** Collects variables that are the ARN of a secret, where no step is known to read it. */
function collectVariables({ collector, document, steps, way, environment, name, env }: Steps): void {
  const taken = new Set(collector.reading.references.map(({ secret }) => secret));
  for (const [index, step] of steps.entries()) {
    for (const [variable, value] of Object.entries(objectOf(objectOf(step).env))) {
      const text = textOf(value) ?? '';
      if (!isSecretArn(text) || taken.has(text)) continue;
      collector.take(secretIdOf(text), collector.at(document, [...way, String(index), 'env', variable]), {
        readBy: readByOf(name),
        environment: literal(environment, env),
      });
    }
  }
}
