import { shellWord } from '../../core/shell-word.ts';
import { type ByHand, known, placeholder } from '../families/by-hand.ts';
import { policyName } from './revocation-policy.ts';

/** Writes the policy of Rekey's cutoff for the shell, which puts in the key and the time of the moment. */
const cutoffPolicy =
  `'{"Version":"2012-10-17","Statement":[{"Sid":"Leaked'"$KEY"'","Effect":"Deny","Action":"*","Resource":"*",` +
  `"Condition":{"DateLessThan":{"aws:TokenIssueTime":"'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'"}}}]}'`;

/** Writes what {@link contain} does for a person: the key goes inactive, and everything is denied to its sessions. */
export const byHand: ByHand = (target) => {
  const user = known(target.fields, 'username', 'IAM user');
  const name = `--user-name=${shellWord(user)}`;
  return {
    steps: [
      {
        aim: 'find',
        in: 'shell',
        lines: [
          `aws iam list-access-keys ${name}`,
          `KEY=${shellWord(placeholder('access key id that leaked'))}`,
        ],
        note: 'Of a key whose user is not known: aws sts get-access-key-info --access-key-id tells the account.',
      },
      {
        aim: 'refuse logins',
        in: 'shell',
        lines: [`aws iam update-access-key ${name} --access-key-id="$KEY" --status=Inactive`],
        note: 'Leave it inactive and do not delete it: what it did is looked up by it.',
      },
      {
        aim: 'end sessions',
        in: 'shell',
        lines: [
          `aws iam get-user-policy ${name} --policy-name=${policyName}`,
          `aws iam put-user-policy ${name} --policy-name=${policyName} --policy-document=${cutoffPolicy}`,
        ],
        note: 'It denies everything to what the user got from STS before this moment. Run the second line again after a minute, when IAM has heard of the key everywhere. It replaces what the first line shows.',
      },
      {
        aim: 'store it',
        in: 'shell',
        lines: [
          `{ aws secretsmanager get-secret-value --secret-id=${shellWord(target.secret)} --query=SecretString --output=text && aws iam create-access-key ${name} --query=AccessKey --output=json; } | jq -cs 'if length == 2 then .[0] + {accessKeyId: .[1].AccessKeyId, secretAccessKey: .[1].SecretAccessKey} else error("nothing is stored") end' | aws secretsmanager put-secret-value --secret-id=${shellWord(target.secret)} --secret-string=file:///dev/stdin --query=VersionId`,
        ],
        note: 'It makes a new key and stores it, without showing it. A user has two keys at the most: where both are taken, aws iam delete-access-key makes room.',
      },
      {
        aim: 'see it refused',
        in: 'shell',
        lines: [
          `aws iam list-access-keys ${name}`,
          `aws iam get-access-key-last-used --access-key-id="$KEY"`,
        ],
        note: 'The key is Inactive, and is used no more.',
      },
    ],
    notes: [
      'Sessions of roles that were assumed with the key go on until they are revoked at each role: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html',
      'IAM is changed in one Region of the partition and read in all: while that one is away, deny the user by a policy of the organization or of the resources.',
    ],
  };
};
