/**
 * The key of IAM that holds the name of a session to the person who begins it. It is `aws:username` for IAM users, or a tag of
 * the principal, such as one that IAM Identity Center passes on.
 */
export type SessionName = 'aws:username' | `aws:PrincipalTag/${string}`;

/**
 * Writes the condition of a trust policy that gives each caller one name for a session. Who has no such key gets no session.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_rolesessionname
 */
export const sessionNamed = (by: SessionName): Record<string, Record<string, string>> => ({
  StringEquals: { 'sts:RoleSessionName': `\${${by}}` },
});
