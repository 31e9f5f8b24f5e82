import { type RequestContext, valuesOf } from './request.ts';

/** Names of variables that stand for a character itself: `${*}`, `${?}`, `${$}`. */
const literals = new Set(['*', '?', '$']);
const variable = /\$\{([^}]*)\}/g;

/**
 * Writes the values of policy variables into a text. The result is a list of parts, of which only those that stood in the policy
 * may hold wildcards.
 * @returns undefined when a variable has no value and no default; the text then matches nothing
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
function resolved(text: string, context: RequestContext): readonly Part[] | undefined {
  const parts: Part[] = [];
  let from = 0;
  for (const match of text.matchAll(variable)) {
    parts.push({ text: text.slice(from, match.index), wild: true });
    const [name = '', fallback] = (match[1] ?? '').split(/\s*,\s*/);
    const known = literals.has(name) ? [name] : valuesOf(context, name);
    const value = known?.length === 1 ? known[0] : fallback?.replace(/^'(.*)'$/, '$1');
    if (value === undefined) return undefined;
    parts.push({ text: value, wild: false });
    from = match.index + match[0].length;
  }
  return [...parts, { text: text.slice(from), wild: true }];
}

interface Part {
  readonly text: string;
  readonly wild: boolean;
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

/** Tells whether a text matches a pattern of a policy, with `*` and `?` and with variables. */
export function matches(
  pattern: string,
  text: string,
  context: RequestContext,
  {
    ignoreCase = false,
    variables = true,
  }: { readonly ignoreCase?: boolean; readonly variables?: boolean } = {},
): boolean {
  const parts = variables ? resolved(pattern, context) : [{ text: pattern, wild: true }];
  if (parts === undefined) return false;
  const source = parts
    .map(({ text: part, wild }) =>
      wild ? escaped(part).replaceAll(String.raw`\*`, '.*').replaceAll(String.raw`\?`, '.') : escaped(part),
    )
    .join('');
  return new RegExp(`^${source}$`, ignoreCase ? 'isu' : 'su').test(text);
}

/** Writes a text with its variables' values, where a star is a star; undefined when one has no value. */
export const withValues = (text: string, context: RequestContext): string | undefined =>
  resolved(text, context)
    ?.map((part) => part.text)
    .join('');

/** Divides an ARN at its colons, and leaves those within variables alone. */
export const segmentsOf = (pattern: string): readonly string[] => pattern.split(/:(?![^{]*\})/);

/**
 * Tells whether an ARN matches a pattern, each of its six parts for itself. A star reaches over colons in the last part alone.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
 */
export function matchesArn(pattern: string, arn: string, context: RequestContext): boolean {
  const [patterns, parts] = [pattern, arn].map((text) => {
    const split = segmentsOf(text);
    return [...split.slice(0, 5), split.slice(5).join(':')];
  }) as [string[], string[]];
  return patterns.every((part, index) => matches(part, parts[index] ?? '', context));
}
