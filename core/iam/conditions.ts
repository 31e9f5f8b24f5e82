import { BlockList } from 'node:net';
import { matches, matchesArn, withValues } from './pattern.ts';
import { type RequestContext, valuesOf } from './request.ts';

/** Compares one value of a request with one value of a policy. */
type Comparison = (actual: string, wanted: string, context: RequestContext) => boolean;

const numbers =
  (compare: (a: number, b: number) => boolean): Comparison =>
  (actual, wanted) =>
    compare(Number(actual), Number(wanted));
/** Reads a date, which is written as ISO 8601 or as seconds since 1970. */
const timeOf = (text: string): number => (/^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text));
const dates =
  (compare: (a: number, b: number) => boolean): Comparison =>
  (actual, wanted) =>
    compare(timeOf(actual), timeOf(wanted));
const same = (a: number, b: number) => a === b;

const equal: Comparison = (actual, wanted, context) => withValues(wanted, context) === actual;
const equalIgnoringCase: Comparison = (actual, wanted, context) =>
  withValues(wanted, context)?.toLowerCase() === actual.toLowerCase();
const like: Comparison = (actual, wanted, context) => matches(wanted, actual, context);
const arn: Comparison = (actual, wanted, context) => matchesArn(wanted, actual, context);

function within(actual: string, range: string): boolean {
  const family = range.includes(':') ? 'ipv6' : 'ipv4';
  const [address = '', length] = range.split('/');
  const list = new BlockList();
  list.addSubnet(address, length === undefined ? (family === 'ipv6' ? 128 : 32) : Number(length), family);
  return list.check(actual, actual.includes(':') ? 'ipv6' : 'ipv4');
}

/**
 * The operators by their bare names; a set may stand in front, and `IfExists` behind.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
const operators: Readonly<Record<string, { readonly compare: Comparison; readonly negated?: true }>> = {
  StringEquals: { compare: equal },
  StringNotEquals: { compare: equal, negated: true },
  StringEqualsIgnoreCase: { compare: equalIgnoringCase },
  StringNotEqualsIgnoreCase: { compare: equalIgnoringCase, negated: true },
  StringLike: { compare: like },
  StringNotLike: { compare: like, negated: true },
  NumericEquals: { compare: numbers(same) },
  NumericNotEquals: { compare: numbers(same), negated: true },
  NumericLessThan: { compare: numbers((a, b) => a < b) },
  NumericLessThanEquals: { compare: numbers((a, b) => a <= b) },
  NumericGreaterThan: { compare: numbers((a, b) => a > b) },
  NumericGreaterThanEquals: { compare: numbers((a, b) => a >= b) },
  DateEquals: { compare: dates(same) },
  DateNotEquals: { compare: dates(same), negated: true },
  DateLessThan: { compare: dates((a, b) => a < b) },
  DateLessThanEquals: { compare: dates((a, b) => a <= b) },
  DateGreaterThan: { compare: dates((a, b) => a > b) },
  DateGreaterThanEquals: { compare: dates((a, b) => a >= b) },
  Bool: { compare: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase() },
  BinaryEquals: { compare: (actual, wanted) => actual === wanted },
  IpAddress: { compare: within },
  NotIpAddress: { compare: within, negated: true },
  ArnEquals: { compare: arn },
  ArnLike: { compare: arn },
  ArnNotEquals: { compare: arn, negated: true },
  ArnNotLike: { compare: arn, negated: true },
};

const form = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/** Tells whether IAM knows an operator of a condition. */
export const isOperator = (text: string): boolean =>
  text === 'Null' || Object.hasOwn(operators, form.exec(text)?.[2] ?? '');

/** Tells whether all of a statement's conditions hold for a request. */
export function conditionsHold(
  condition: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> | undefined,
  context: RequestContext,
): boolean {
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => holds(operator, valuesOf(context, key), wanted, context)),
  );
}

/**
 * Tests one key. Several values of a policy are alternatives; of a negated operator, none of them may be there.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 */
function holds(
  operator: string,
  actual: readonly string[] | undefined,
  wanted: readonly string[],
  context: RequestContext,
): boolean {
  if (operator === 'Null') {
    return wanted.some((value) => (value.toLowerCase() === 'true') === (actual === undefined));
  }
  const [, set, name = '', ifExists] = form.exec(operator) ?? [];
  const { compare, negated = false } = operators[name] ?? { compare: () => false };
  if (actual === undefined) {
    if (ifExists !== undefined) return true;
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    return set === undefined ? negated : set === 'ForAllValues';
  }
  const fits = (value: string) => wanted.some((one) => compare(value, one, context)) !== negated;
  return set === 'ForAllValues' || (set === undefined && negated) ? actual.every(fits) : actual.some(fits);
}
