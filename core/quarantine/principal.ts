import * as z from 'zod';
import { matchesArn } from '../iam/pattern.ts';

/** Reads the ARN of a role or user, with its path. Roles of AWS itself cannot be changed by anybody. */
export const quarantinedArnSchema = z
  .string()
  .max(2048)
  .regex(/^arn:[\w-]+:iam::\d{12}:(?:role|user)\/[\w+=,.@/-]+$/, 'must be the ARN of an IAM role or user')
  .refine((arn) => !/:role\/aws-(?:service-role|reserved)\//.test(arn), {
    error: 'must be a role that the account owns: AWS lets nobody change its own',
  });

/** Reads a pattern of such ARNs. It may end in stars, and never means every role or user of an account. */
export const quarantinePatternSchema = z
  .string()
  // All of them stand in a variable, separated by commas, and all variables have room for 4 KB.
  .max(150)
  .regex(
    /^arn:[\w-]+:iam::\d{12}:(?:role|user)\/[\w+=.@/*?-]+$/,
    'must be the ARN of IAM roles or users, such as arn:aws:iam::111122223333:role/app-*',
  )
  .refine((pattern) => /\/(?:[^/]+\/)*[*?]*[\w+=,.@-]{2}[^/]*$/.test(pattern), {
    error:
      'must name at least two letters of the names that it means: a pattern of all roles would take in those that deploy',
  });

/** Gives the kind and the name of a role or user, without its path. */
export function partsOf(arn: string): { readonly kind: 'role' | 'user'; readonly name: string } {
  const [kind, ...path] = arn.split(':').slice(5).join(':').split('/');
  return { kind: kind === 'user' ? 'user' : 'role', name: path.at(-1) ?? '' };
}

/** Tells whether one of the patterns takes in a principal, as IAM compares them. */
export const isCovered = (arn: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => matchesArn(pattern, arn, {}));

/**
 * Tells whether a caller acts as a role or user. Of a session STS names the role without its path.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
 */
export function actsAs(caller: string, principal: string): boolean {
  if (caller === principal) return true;
  const [, partition, service, , account, resource = ''] = caller.split(':');
  const { kind, name } = partsOf(principal);
  const [session, role] = resource.split('/');
  return (
    kind === 'role' &&
    service === 'sts' &&
    session === 'assumed-role' &&
    role === name &&
    principal.startsWith(`arn:${partition}:iam::${account}:`)
  );
}
