import type { Standing } from './state.ts';

/** Name of the one inline policy that a quarantine is. Rekey has no other on a principal that it quarantines. */
export const quarantinePolicyName = 'RekeyQuarantine';

/**
 * Writes the policy of a quarantine. It denies everything, to sessions that began before a time or to whoever acts as the
 * principal. The id of the request stands in the Sid, which takes letters and digits alone.
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
        ...(scope === 'sessions' && { Condition: { DateLessThan: { 'aws:TokenIssueTime': before } } }),
      },
    ],
  });
