import { shellWord } from '../../shell-word.ts';
import { leastPrivilege } from '../../template/controls.ts';
import { type Access, accountIn } from '../access.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret } from '../facts.ts';
import { readerAccess } from '../reader.ts';

/** Finds consumers whose role may not read the secret. */
export const readerDenied: ProofCheck<'ReaderDenied'> = {
  description: {
    id: 'ReaderDenied',
    severity: 'error',
    demand:
      'The role that reads may: by its policies and boundary, the policy of the secret, and policy and grants of its KMS key.',
    reason: 'The task does not start, or fails when it first needs the secret.',
    controls: [...leastPrivilege, 'NIST 800-53 r5 AC-3'],
  },
  *check(facts) {
    const secret = livingSecret(facts);
    const { reader } = facts;
    if (secret === undefined || reader === undefined) return;
    if (reader.role.known && reader.role.value === undefined) {
      yield {
        message: `the role ${reader.arn}, which is to read ${secret.name}, does not exist`,
        fix: `deploy it first, or correct the manifest: aws iam get-role --role-name ${shellWord(reader.arn.split('/').at(-1) ?? reader.arn)}`,
      };
      return;
    }
    const access = readerAccess(facts);
    if (access?.may !== 'no') return;
    const { action } = access;
    const on = action === 'kms:Decrypt' ? `the KMS key of ${secret.name}` : secret.name;
    yield {
      message: `${reader.arn} is not allowed ${action} on ${on}: ${becauseOf(access, reader.arn, secret.arn)}`,
      fix: fixOf(access, reader.arn, action === 'kms:Decrypt' ? keyArnOf(facts) : secret.arn),
    };
  },
};

const keyArnOf = ({ key }: Parameters<typeof readerAccess>[0]): string =>
  (key?.known === true ? key.value?.arn : undefined) ?? 'the key';

const places = {
  identity: 'the policies of the role',
  boundary: 'the permissions boundary of the role',
  session: 'the policy of the session',
  'service control': 'a service control policy',
  'resource control': 'a resource control policy',
} as const;

function becauseOf(
  { action, decision }: Extract<Access, { may: 'no' }>,
  role: string,
  secret: string,
): string {
  const place =
    decision.by === 'resource'
      ? action === 'kms:Decrypt'
        ? 'the policy of the key'
        : 'the resource policy of the secret'
      : places[decision.by];
  if (decision.outcome === 'denied') {
    return `${decision.sid === undefined ? 'a statement' : `statement ${decision.sid}`} in ${place} denies it`;
  }
  const foreign = accountIn(role) !== accountIn(secret) ? ', which the other account must allow as well' : '';
  return `${place} ${place.endsWith('policies of the role') ? 'do' : 'does'} not allow it${foreign}`;
}

function fixOf({ action, decision }: Extract<Access, { may: 'no' }>, role: string, resource: string): string {
  const name = role.split('/').at(-1) ?? role;
  if (decision.outcome === 'denied') return 'take the role out of that statement, or read as another role';
  if (decision.by === 'boundary') return `let the boundary of ${name} allow ${action} on ${resource}`;
  if (decision.by === 'resource') return `let that policy allow ${action} to ${role}`;
  const document = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Resource: resource }],
  });
  return `in the code that makes the role, or: aws iam put-role-policy --role-name ${shellWord(name)} --policy-name read-secret --policy-document ${shellWord(document)}`;
}
