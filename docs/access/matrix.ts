import { type Policy, policySchema } from '../../core/iam/document.ts';
import { decide } from '../../core/iam/evaluate.ts';
import type { RequestContext } from '../../core/iam/request.ts';
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

type Deployed = Exclude<NonNullable<Attempt['guardedBy']>, 'trust'>;

const guards: Readonly<Record<Deployed, { readonly type: string; readonly document: string }>> = {
  secret: { type: 'AWS::SecretsManager::ResourcePolicy', document: 'ResourcePolicy' },
  bucket: { type: 'AWS::S3::BucketPolicy', document: 'PolicyDocument' },
  queue: { type: 'AWS::SQS::QueuePolicy', document: 'PolicyDocument' },
};

/** Trust of a role that leaves it to the account who may assume it. */
const trustOfAccount: Policy = policySchema.parse({
  Statement: { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' },
});

/**
 * Asks everything of every actor, in both environments of one account.
 * @param attached - policies that somebody attaches to the role of each person afterwards
 */
export function accessMatrix(attached: readonly Policy[] = []): readonly Answer[] {
  const stacks = synthesize();
  const values = new DeployedValues(stacks);
  const [one, other] = environments;
  // Once for each: working templates out is all that takes time here.
  const asked = attempts.map((attempt) => ({
    attempt,
    one: targetOf(attempt, one, stacks, values),
    other: targetOf(attempt, other, stacks, values),
  }));
  return actorNames.flatMap((name) => {
    const [ofOne, ofOther] = [one, other].map((environment): Actor => {
      const actor = actorOf(name, environment, stacks, values);
      const more = peopleNames.includes(name) ? attached : [];
      return { ...actor, identity: [...actor.identity, ...more] };
    }) as [Actor, Actor];
    return asked.map(({ attempt, ...targets }): Answer => {
      const own = isAllowed(ofOne, attempt, targets.one);
      const elsewhere = isAllowed(ofOne, attempt, targets.other);
      if (
        own !== isAllowed(ofOther, attempt, targets.other) ||
        elsewhere !== isAllowed(ofOther, attempt, targets.one)
      ) {
        throw new Error(`${name}: ${attempt.what}: the environments differ`);
      }
      return { actor: name, attempt, own, elsewhere };
    });
  });
}

/** The resource that an attempt is made on in one environment. */
interface Target {
  readonly resource: string;
  /** Policy of the resource, where that decides as well. */
  readonly guard: Policy | undefined;
  readonly context: RequestContext;
}

function targetOf(
  { on, context, guardedBy }: Attempt,
  environment: Environment,
  stacks: readonly Stack[],
  values: DeployedValues,
): Target {
  const sought = on(environment);
  const arn = typeof sought === 'string' ? sought : arnOf(sought, stacks, values);
  return {
    resource: guardedBy === 'bucket' ? `${arn}/entries/1.ndjson` : arn,
    guard:
      guardedBy === 'trust'
        ? trustOfAccount
        : guardedBy && policyOf(guardedBy, arn, environment, stacks, values),
    context: context?.(environment) ?? {},
  };
}

function isAllowed(
  { principal, identity, boundary, tags }: Actor,
  { action }: Attempt,
  { resource, guard, context }: Target,
): boolean {
  const principalTags = Object.fromEntries(
    Object.entries(tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value] as const),
  );
  const answer = decide(
    {
      principal,
      action,
      resource,
      resourceAccount: account,
      context: { ...principalTags, 'aws:SecureTransport': 'true', ...context },
    },
    {
      identity,
      ...(boundary !== undefined && { boundary }),
      ...(guard !== undefined && { resource: guard }),
    },
  );
  return answer.outcome === 'allowed';
}

function arnOf({ stack: name, type, id }: Sought, stacks: readonly Stack[], values: DeployedValues): string {
  const stack = stacks.find((one) => one.name === name);
  const [only, ...others] = Object.entries(stack?.resources ?? {})
    .filter(([each, { Type }]) => Type === type && id.test(each))
    .map(([each]) => each);
  if (stack === undefined || only === undefined || others.length > 0) {
    throw new Error(
      `${name} has ${others.length + Number(only !== undefined)} resources ${type} ${id}; one is expected`,
    );
  }
  return values.arnOf(only, stack);
}

/** Joins the policies that are attached to a resource. */
function policyOf(
  kind: Deployed,
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
documented evaluation of policies. \`npm run docs:access\` writes this page, and a test fails where it differs: ● is allowed, an
empty cell is not.

Each question was asked twice: in the role's own environment, and in another environment of the same account and region. In the
other one, **nothing** below is allowed to anybody.

What people may do is tried as well: on the [local cloud](architecture.md#the-local-cloud), with IAM enforced, each role makes each of
these calls in its environment and in another one, with its own policies and with an administrator's attached besides, which the
[boundary](deploy.md#roles) of the role makes worthless. It answers as the table does ([the test](../test/e2e/matrix.ts)). An AWS
account has not been asked.

## People

${table(peopleNames).join('\n')}

## Functions

${table(functions).join('\n')}
`;
}
