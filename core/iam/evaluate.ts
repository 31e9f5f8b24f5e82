import { conditionsHold } from './conditions.ts';
import type { Policy, Statement } from './document.ts';
import { matches, segmentsOf } from './pattern.ts';
import { type AccessRequest, accountOf, type Principal, type RequestContext } from './request.ts';

/** The policies that apply to a request. Those that are left out are not there; an empty list allows nothing. */
export interface Policies {
  /** Policies of the principal, managed ones included. */
  readonly identity?: readonly Policy[];
  /** Permissions boundary of the principal. */
  readonly boundary?: Policy;
  /** Policy that was given when the session began. */
  readonly session?: Policy;
  /** Service control policies, a list for each level from the organization's root down to the account. */
  readonly serviceControl?: readonly (readonly Policy[])[];
  /** Resource control policies of the account that the resource is in, by level as well. */
  readonly resourceControl?: readonly (readonly Policy[])[];
  /** Policy of the resource: of a secret, a key, a role's trust. */
  readonly resource?: Policy;
}

/** A kind of policy, as decisions name it. */
export type PolicyKind =
  | 'identity'
  | 'boundary'
  | 'session'
  | 'service control'
  | 'resource control'
  | 'resource';

/** Answer of IAM to a request, with what decided it. */
export type Decision =
  | { readonly outcome: 'allowed'; readonly by: 'identity' | 'resource'; readonly sid?: string | undefined }
  /** A statement denies it. */
  | { readonly outcome: 'denied'; readonly by: PolicyKind; readonly sid?: string | undefined }
  /** No statement of this kind of policy allows it. */
  | { readonly outcome: 'not allowed'; readonly by: PolicyKind };

/**
 * Decides a request as IAM does. An explicit deny wins, then each kind of policy that is there must allow it.
 *
 * @example
 * decide(
 *   { principal, action: 'secretsmanager:GetSecretValue', resource: secretArn, resourceAccount: '111122223333' },
 *   { identity: [rolePolicy], resource: secretPolicy },
 * ); // { outcome: 'not allowed', by: 'identity' }
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function decide(request: AccessRequest, policies: Policies): Decision {
  const asked = withOwnKeys(request);
  const denied = explicitDeny(asked, policies);
  if (denied !== undefined) return denied;

  const isService = request.principal.kind === 'service';
  if (!isService && !everyLevelAllows(policies.serviceControl, asked)) {
    return { outcome: 'not allowed', by: 'service control' };
  }
  if (!isService && !everyLevelAllows(policies.resourceControl, asked)) {
    return { outcome: 'not allowed', by: 'resource control' };
  }
  const granted = grantOf(policies.resource, asked);
  const byResource = { outcome: 'allowed', by: 'resource', sid: granted?.statement.Sid } as const;
  if (isService) return granted === undefined ? { outcome: 'not allowed', by: 'resource' } : byResource;

  const own = firstMatch(policies.identity ?? [], 'Allow', asked);
  const limit = limitOf(policies, asked);
  if (accountOf(request.principal) !== request.resourceAccount) {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html: both must.
    if (granted === undefined) return { outcome: 'not allowed', by: 'resource' };
    if (own === undefined) return { outcome: 'not allowed', by: 'identity' };
    return limit ?? { outcome: 'allowed', by: 'identity', sid: own.Sid };
  }
  if (granted?.to === 'this very principal') return byResource;
  if (granted?.to === 'the role') return limit ?? byResource;
  if (decidesAlone(request.action) && granted === undefined)
    return { outcome: 'not allowed', by: 'resource' };
  if (own === undefined) return { outcome: 'not allowed', by: 'identity' };
  return limit ?? { outcome: 'allowed', by: 'identity', sid: own.Sid };
}

/**
 * Tells whether policies of the account count only where the resource's own policy says so. Such are keys, and the trust of roles.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
 */
const decidesAlone = (action: string): boolean => /^(?:kms:|sts:(?:AssumeRole|TagSession))/i.test(action);

/** Adds the keys that every request has. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
function withOwnKeys(request: AccessRequest): Asked {
  const { principal, context = {} } = request;
  const account = accountOf(principal);
  const own =
    principal.kind === 'service'
      ? { 'aws:PrincipalIsAWSService': 'true' }
      : {
          'aws:PrincipalArn': principal.arn,
          'aws:PrincipalIsAWSService': 'false',
          ...(account !== undefined && { 'aws:PrincipalAccount': account }),
        };
  return { ...request, context: { ...own, 'aws:ResourceAccount': request.resourceAccount, ...context } };
}

type Asked = AccessRequest & { readonly context: RequestContext };

function explicitDeny(asked: Asked, policies: Policies): Decision | undefined {
  const { identity = [], boundary, session, serviceControl = [], resourceControl = [], resource } = policies;
  const kinds: readonly [PolicyKind, readonly Policy[]][] = [
    ['service control', serviceControl.flat()],
    ['resource control', resourceControl.flat()],
    ['resource', resource === undefined ? [] : [resource]],
    ['identity', identity],
    ['boundary', boundary === undefined ? [] : [boundary]],
    ['session', session === undefined ? [] : [session]],
  ];
  for (const [by, all] of kinds) {
    const found = firstMatch(all, 'Deny', asked);
    if (found !== undefined) return { outcome: 'denied', by, sid: found.Sid };
  }
  return undefined;
}

const everyLevelAllows = (levels: readonly (readonly Policy[])[] | undefined, asked: Asked): boolean =>
  (levels ?? []).every((level) => firstMatch(level, 'Allow', asked) !== undefined);

/** Finds what limits a principal besides its own policies and does not allow the request. */
function limitOf({ boundary, session }: Policies, asked: Asked): Decision | undefined {
  if (boundary !== undefined && firstMatch([boundary], 'Allow', asked) === undefined) {
    return { outcome: 'not allowed', by: 'boundary' };
  }
  if (session !== undefined && firstMatch([session], 'Allow', asked) === undefined) {
    return { outcome: 'not allowed', by: 'session' };
  }
  return undefined;
}

function firstMatch(
  policies: readonly Policy[],
  effect: Statement['Effect'],
  asked: Asked,
): Statement | undefined {
  return policies
    .flatMap(({ Statement }) => Statement)
    .find(
      (statement) => statement.Effect === effect && applies(statement, asked) && isNamed(statement, asked),
    );
}

/** Tells whether a statement is about what is asked, whoever asks. */
function applies(statement: Statement, { action, resource, context }: Asked): boolean {
  const { Action, NotAction, Resource, NotResource, Condition } = statement;
  const isAction = (pattern: string) => matches(pattern, action, {}, { ignoreCase: true, variables: false });
  const isResource = (pattern: string) => coversResource(pattern, resource, context);
  return (
    (Action === undefined ? !(NotAction ?? []).some(isAction) : Action.some(isAction)) &&
    // A role's trust names no resource.
    (Resource === undefined ? !(NotResource ?? []).some(isResource) : Resource.some(isResource)) &&
    conditionsHold(Condition, context)
  );
}

/**
 * Tells whether a resource is one of a statement's. A star that ends a segment of an ARN reaches over the colons behind it; any
 * other stays in its segment.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
function coversResource(pattern: string, resource: string, context: RequestContext): boolean {
  if (!matches(pattern, resource, context)) return false;
  const parts = segmentsOf(pattern);
  const reaches = parts.findIndex((part) => part.endsWith('*'));
  const fixed = reaches === -1 ? parts : parts.slice(0, reaches);
  return fixed.every((part, index) => matches(part, resource.split(':')[index] ?? '', context));
}

/** Tells whether a statement with a principal names the one that asks; those without are of the principal itself. */
function isNamed({ Principal, NotPrincipal }: Statement, { principal }: Asked): boolean {
  if (Principal !== undefined) return reachOf(Principal, principal) !== undefined;
  return NotPrincipal === undefined || reachOf(NotPrincipal, principal) === undefined;
}

/** Way in which a resource's policy names a principal. */
type Reach = 'this very principal' | 'the role' | 'its account';

/** Finds the statement of a resource's policy that allows the request with the fewest further conditions. */
function grantOf(
  policy: Policy | undefined,
  asked: Asked,
): { readonly statement: Statement; readonly to: Reach } | undefined {
  const order: readonly Reach[] = ['this very principal', 'the role', 'its account'];
  return (policy?.Statement ?? [])
    .filter((statement) => statement.Effect === 'Allow' && applies(statement, asked))
    .flatMap((statement) => {
      const to = reachOf(statement.Principal ?? {}, asked.principal);
      return to === undefined ? [] : [{ statement, to }];
    })
    .sort((one, other) => order.indexOf(one.to) - order.indexOf(other.to))[0];
}

/**
 * Tells how a list of principals names one. A user and a session of a role are named themselves; a role is named for all of its
 * sessions, which its boundary and their policies limit; an account hands the decision to its own policies.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
 */
function reachOf(
  listed: Readonly<Record<string, readonly string[]>>,
  principal: Principal,
): Reach | undefined {
  if (principal.kind === 'service') {
    return listed.Service?.includes(principal.service) ? 'this very principal' : undefined;
  }
  const named = listed.AWS ?? [];
  const own = principal.kind === 'user' ? principal.arn : principal.sessionArn;
  if (named.includes(own)) return 'this very principal';
  if (principal.kind === 'role' && named.includes(principal.arn)) return 'the role';
  if (named.includes('*')) return principal.kind === 'user' ? 'this very principal' : 'the role';
  const account = accountOf(principal) ?? '';
  const [, partition = 'aws'] = principal.arn.split(':');
  return named.includes(account) || named.includes(`arn:${partition}:iam::${account}:root`)
    ? 'its account'
    : undefined;
}
