import type { Policy, Statement } from '../iam/document.ts';
import { type RequestContext, valuesOf } from '../iam/request.ts';

/**
 * Keys that a request never has when a role or user itself calls, so that their absence is known. Tags of the principal and its
 * identity provider are none of them: a session has tags that its role has not, and a pod's has some by itself.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
const absent =
  /^(?:aws:(?:SourceArn|SourceAccount|SourceOrgID|SourceOrgPaths|PrincipalServiceName|RequestTag\/.*|ResourceTag\/.*)|secretsmanager:ResourceTag\/.*)$/i;

/** Keys that the evaluator fills in. */
const filledIn = /^aws:(?:PrincipalArn|PrincipalAccount|PrincipalIsAWSService|ResourceAccount)$/i;

const variables = /\$\{([^},]*)[^}]*\}/g;

/** Tells whether the value of a key, or its absence, is known for a request. */
type Knows = (key: string) => boolean;

const knowing =
  (context: RequestContext, unsure: (key: string) => boolean): Knows =>
  (key) =>
    valuesOf(context, key) !== undefined || filledIn.test(key) || (absent.test(key) && !unsure(key));

const variablesIn = (text: string): readonly string[] =>
  [...text.matchAll(variables)]
    .map(([, name = '']) => name.trim())
    .filter((name) => !['*', '?', '$'].includes(name));

/** Policies as they hold at best and at worst for whoever asks, and the keys that make the difference. */
export interface Bracketed {
  readonly best: Policy;
  readonly worst: Policy;
  /** Keys of conditions whose values only the real request has. */
  readonly open: readonly string[];
}

/**
 * Divides a policy by what is not known of a request. At best, open conditions of what allows hold, and those of what denies do
 * not; at worst it is the other way round.
 * @param unsure - keys whose absence is not sure either, such as tags of a KMS key that were not read
 */
export function bracketed(
  policy: Policy,
  context: RequestContext,
  unsure: (key: string) => boolean = () => false,
): Bracketed {
  const knows = knowing(context, unsure);
  const open = new Set<string>();
  const best: Statement[] = [];
  const worst: Statement[] = [];
  for (const statement of policy.Statement) {
    const missing = openKeys(statement, knows);
    if (missing.length === 0) {
      best.push(statement);
      worst.push(statement);
      continue;
    }
    for (const key of missing) open.add(key);
    const wide = widened(statement, knows);
    if (statement.Effect === 'Allow') best.push(wide);
    else worst.push(wide);
  }
  const { Version } = policy;
  return { best: { Version, Statement: best }, worst: { Version, Statement: worst }, open: [...open] };
}

function openKeys({ Condition = {}, Resource = [], NotResource = [] }: Statement, knows: Knows): string[] {
  const ofConditions = Object.values(Condition).flatMap((keys) =>
    Object.entries(keys).flatMap(([key, values]) => [key, ...values.flatMap(variablesIn)]),
  );
  const ofResources = [...Resource, ...NotResource].flatMap(variablesIn);
  return [...ofConditions, ...ofResources].filter((key) => !knows(key));
}

/** Makes a statement apply wherever what is open about it lets it apply. */
function widened(statement: Statement, knows: Knows): Statement {
  const { Condition, NotResource, ...rest } = statement;
  const isOpen = (text: string) => variablesIn(text).some((key) => !knows(key));
  const conditions = Object.entries(Condition ?? {}).map(
    ([operator, keys]) =>
      [
        operator,
        Object.fromEntries(
          Object.entries(keys).filter(([key, values]) => knows(key) && !values.some(isOpen)),
        ),
      ] as const,
  );
  return {
    ...rest,
    ...(rest.Resource !== undefined && {
      Resource: rest.Resource.map((one) =>
        one.replace(variables, (text, name: string) => (knows(name.trim()) ? text : '*')),
      ),
    }),
    ...(NotResource !== undefined && { NotResource: NotResource.filter((one) => !isOpen(one)) }),
    Condition: Object.fromEntries(conditions),
  };
}
