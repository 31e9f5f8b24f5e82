/** Keys of a request's context with their values, such as `aws:PrincipalTag/team`. Names are compared without case. */
export type RequestContext = Readonly<Record<string, string | readonly string[]>>;

/**
 * The principal that asks. A session of a role has two ARNs, and policies may name either.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export type Principal =
  | { readonly kind: 'user'; readonly arn: string }
  | { readonly kind: 'role'; readonly arn: string; readonly sessionArn: string }
  | { readonly kind: 'service'; readonly service: string };

/** A call of an API, as IAM sees it. */
export interface AccessRequest {
  readonly principal: Principal;
  /** Action, such as `secretsmanager:RotateSecret`. */
  readonly action: string;
  /** ARN of the resource; `*` where the action knows none. */
  readonly resource: string;
  /** Account that the resource is in. */
  readonly resourceAccount: string;
  readonly context?: RequestContext;
}

/** Gives the account of a principal; a service of AWS is in none. */
export const accountOf = (principal: Principal): string | undefined =>
  principal.kind === 'service' ? undefined : principal.arn.split(':')[4];

/** Reads a key of a context, whatever its case. */
export function valuesOf(context: RequestContext, key: string): readonly string[] | undefined {
  const wanted = key.toLowerCase();
  const [, found] = Object.entries(context).find(([name]) => name.toLowerCase() === wanted) ?? [];
  return found === undefined ? undefined : [found].flat();
}
