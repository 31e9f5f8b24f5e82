import * as z from 'zod';
import { isOperator } from './conditions.ts';

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** A value of a condition. IAM compares all of them as text. */
const conditionValue = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const conditionValues = z
  .union([conditionValue, z.array(conditionValue)])
  .transform((value) => [value].flat());

/** Principals by their kind: `AWS`, `Service`, `Federated`, `CanonicalUser`. `*` alone is everybody. */
const principals = z.union([
  z.literal('*').transform(() => ({ AWS: ['*'] }) as Record<string, string[]>),
  z.record(z.string(), oneOrMore),
]);

const statementSchema = z
  .object({
    Sid: z.string().optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Principal: principals.optional(),
    NotPrincipal: principals.optional(),
    Action: oneOrMore.optional(),
    NotAction: oneOrMore.optional(),
    Resource: oneOrMore.optional(),
    NotResource: oneOrMore.optional(),
    Condition: z
      .record(
        z.string().refine(isOperator, 'must be an operator that IAM knows'),
        z.record(z.string(), conditionValues),
      )
      .optional(),
  })
  .refine(({ Action, NotAction }) => (Action === undefined) !== (NotAction === undefined), {
    error: 'must have exactly one of Action and NotAction',
  })
  .refine(({ Resource, NotResource }) => Resource === undefined || NotResource === undefined, {
    error: 'must have at most one of Resource and NotResource',
  })
  .refine(({ Principal, NotPrincipal }) => Principal === undefined || NotPrincipal === undefined, {
    error: 'must have at most one of Principal and NotPrincipal',
  });

/**
 * Reads a policy document, with everything that may be one or many as many.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export const policySchema = z.object({
  Version: z.enum(['2012-10-17', '2008-10-17']).default('2008-10-17'),
  Statement: z
    .union([statementSchema, z.array(statementSchema)])
    .transform((statements) => [statements].flat()),
});

/** A policy document as {@link policySchema} gives it. */
export type Policy = z.output<typeof policySchema>;
export type Statement = Policy['Statement'][number];
