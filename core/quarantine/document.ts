import type { Standing } from './state.ts';

/** Beginning of the names of all policies that are quarantines, whatever environment wrote them. */
export const quarantinePolicyPrefix = 'RekeyQuarantine-';

/**
 * Names the one inline policy that a quarantine is. Principals are of no region and may be those of several environments, so
 * each environment has a policy of its own.
 */
export const quarantinePolicyName = (environment: string, region: string): string =>
  `${quarantinePolicyPrefix}${environment}-${region}`;

/** Time of a request that no request has. */
const never = '1970-01-01T00:00:00Z';

/**
 * Values by which a simulation leaves all quarantines out. AWS alone sets both keys of a real request, and `aws:EpochTime` to its
 * time; that of the token lies after each quarantine.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export const asUnquarantined = [
  {
    ContextKeyName: 'aws:TokenIssueTime',
    ContextKeyType: 'date',
    ContextKeyValues: ['2999-01-01T00:00:00Z'],
  },
  { ContextKeyName: 'aws:EpochTime', ContextKeyType: 'date', ContextKeyValues: [never] },
] as const;

/**
 * Writes the policy of a quarantine. It denies everything, to sessions that began before a time or to whoever acts as the
 * principal. The id of the request stands in the Sid, which takes letters and digits alone. Both conditions are such as a
 * simulation can be told to leave out; that of `all` is negated, so it holds where the key is missing, too.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
 */
export const quarantineDocument = ({ requestId, scope, before }: Standing): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: `Quarantine${requestId.replaceAll('-', '')}`,
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition:
          scope === 'sessions'
            ? { DateLessThan: { 'aws:TokenIssueTime': before } }
            : { DateNotEquals: { 'aws:EpochTime': never } },
      },
    ],
  });
