import { type Policy, policySchema } from '../../core/iam/document.ts';
import { decide } from '../../core/iam/evaluate.ts';
import { type Attempt, attempts, type Sought } from './actions.ts';
import { type Actor, actorNames, actorOf, peopleNames } from './actors.ts';
import { DeployedValues } from './deployed-values.ts';
import {
  account,
  type Environment,
  environments,
  type Resource,
  type Stack,
  synthesize,
} from './deployment.ts';

/** Answers for one actor: may it do something in its own environment, and in another one of the account. */
export interface Answer {
  readonly actor: string;
  readonly attempt: Attempt;
  readonly own: boolean;
  readonly elsewhere: boolean;
}

const guards: Readonly<
  Record<NonNullable<Attempt['guardedBy']>, { readonly type: string; readonly document: string }>
> = {
  secret: { type: 'AWS::SecretsManager::ResourcePolicy', document: 'ResourcePolicy' },
  bucket: { type: 'AWS::S3::BucketPolicy', document: 'PolicyDocument' },
  queue: { type: 'AWS::SQS::QueuePolicy', document: 'PolicyDocument' },
};

/** Asks everything of every actor, in both environments of one account. */
export function accessMatrix(): readonly Answer[] {
  const stacks = synthesize();
  const values = new DeployedValues(stacks);
  return actorNames.flatMap((actor) =>
    attempts.map((attempt): Answer => {
      const may = (from: Environment, where: Environment) =>
        isAllowed(actorOf(actor, from, stacks, values), attempt, where, stacks, values);
      const [one, other] = environments;
      const [own, elsewhere] = [may(one, one), may(one, other)];
      if (own !== may(other, other) || elsewhere !== may(other, one)) {
        throw new Error(`${actor}: ${attempt.what}: the environments differ`);
      }
      return { actor, attempt, own, elsewhere };
    }),
  );
}

function isAllowed(
  { principal, identity, tags }: Actor,
  { action, on, context, guardedBy }: Attempt,
  environment: Environment,
  stacks: readonly Stack[],
  values: DeployedValues,
): boolean {
  const target = on(environment);
  const named = typeof target === 'string' ? { arn: target } : resourceOf(target, stacks, values);
  const resource = guardedBy === 'bucket' ? `${named.arn}/entries/1.ndjson` : named.arn;
  const guard =
    guardedBy === undefined ? undefined : policyOf(guardedBy, named.arn, environment, stacks, values);
  const principalTags = Object.fromEntries(
    Object.entries(tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value] as const),
  );
  const answer = decide(
    {
      principal,
      action,
      resource,
      resourceAccount: account,
      context: { ...principalTags, 'aws:SecureTransport': 'true', ...context?.(environment) },
    },
    { identity, ...(guard !== undefined && { resource: guard }) },
  );
  return answer.outcome === 'allowed';
}

function resourceOf({ stack: name, type, id }: Sought, stacks: readonly Stack[], values: DeployedValues) {
  const stack = stacks.find((one) => one.name === name);
  const [only, ...others] = Object.entries(stack?.resources ?? {})
    .filter(([each, { Type }]) => Type === type && id.test(each))
    .map(([each]) => each);
  if (stack === undefined || only === undefined || others.length > 0) {
    throw new Error(
      `${name} has ${others.length + Number(only !== undefined)} resources ${type} ${id}; one is expected`,
    );
  }
  return { arn: values.arnOf(only, stack) };
}

/** Joins the policies that are attached to a resource. */
function policyOf(
  kind: NonNullable<Attempt['guardedBy']>,
  arn: string,
  environment: Environment,
  stacks: readonly Stack[],
  values: DeployedValues,
): Policy | undefined {
  const { type, document } = guards[kind];
  const isOf = (resource: Resource, stack: Stack): boolean =>
    JSON.stringify(values.of(resource.Properties, stack)).includes(
      kind === 'secret' ? arn : (arn.split(/[:/]/).at(-1) ?? arn),
    );
  const documents = stacks
    .filter(({ name }) => name.startsWith(`rekey-${environment}-`))
    .flatMap((stack) =>
      Object.values(stack.resources)
        .filter((resource) => resource.Type === type && isOf(resource, stack))
        .map((resource) => policySchema.parse(values.of(resource.Properties[document], stack))),
    );
  const [first, ...others] = documents;
  return first && { ...first, Statement: [first, ...others].flatMap(({ Statement }) => Statement) };
}

const mark = (allowed: boolean): string => (allowed ? '●' : '');

/** Writes the page. */
export function accessPage(answers: readonly Answer[]): string {
  const table = (actors: readonly string[]): string[] => [
    `| | ${actors.join(' | ')} |`,
    `|---|${actors.map(() => ':-:').join('|')}|`,
    ...attempts.map((attempt) => {
      const cells = actors.map((actor) =>
        mark(answers.find((one) => one.actor === actor && one.attempt === attempt)?.own ?? false),
      );
      return `| ${attempt.group}: ${attempt.what} | ${cells.join(' | ')} |`;
    }),
  ];
  const functions = actorNames.filter((name) => !peopleNames.includes(name));
  return `# Who may do what

Worked out from the templates of an environment by the evaluator in [\`core/iam\`](../core/iam/evaluate.ts), which follows AWS's
documented evaluation of policies. \`npm run docs:access\` writes this page, and a test fails where it differs. It is what policies
say, tried on no account: ● is allowed, an empty cell is not.

Each question was asked twice: in the role's own environment, and in another environment of the same account and region. In the
other one, **nothing** below is allowed to anybody.

## People

${table(peopleNames).join('\n')}

## Functions

${table(functions).join('\n')}
`;
}
