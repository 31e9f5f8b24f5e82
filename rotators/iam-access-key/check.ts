import { SecretError } from '../../core/errors/rekey-error.ts';
import { giveUpPending, requireSame } from '../families/pending.ts';
import { type IamAccessKeySecret, keyOf } from './schema.ts';

/**
 * Refuses a pending access key that must never be used; see {@link Rotator.check}.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch`
 */
export function check(next: IamAccessKeySecret, current: IamAccessKeySecret): void {
  requireSame('username', next.username, current.username);
  const fault = keyFault(next, current);
  if (fault !== undefined) {
    throw new SecretError(
      'PendingValueRefused',
      `the pending access key of "${next.username}" is refused: ${fault}; ${giveUpPending}`,
    );
  }
}

function keyFault(next: IamAccessKeySecret, current: IamAccessKeySecret): string | undefined {
  const key = keyOf(next);
  if (key === undefined) return 'there is none';
  const { accessKeyId, secretAccessKey } = key;
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
  if (accessKeyId.startsWith('ASIA')) return 'its id is of temporary credentials (ASIA)';
  if (!/^AKIA[A-Z0-9]{12,124}$/.test(accessKeyId)) return 'its id does not look like AKIA…';
  if (!/^[\w+/=]{30,128}$/.test(secretAccessKey)) return 'its secret part does not look like one of AWS';
  if (accessKeyId === current.accessKeyId) return `it is the current one, ${accessKeyId}`;
  return undefined;
}
