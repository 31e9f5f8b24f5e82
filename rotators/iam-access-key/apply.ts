import { SecretError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { giveUpPending } from '../families/pending.ts';
import type { Aws } from './aws.ts';
import { ask, ownAccount } from './probe.ts';
import type { IamAccessKeySecret } from './schema.ts';
import { askUntil } from './wait.ts';

/**
 * Waits until STS accepts the new key, and makes sure whose it is; see {@link Rotator.apply}. IAM made the key when it was
 * proposed, so there is nothing to set, but IAM is eventually consistent. The key must be of that user in the function's account.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
 */
export async function apply(
  aws: Aws,
  next: IamAccessKeySecret,
  context: ApplyContext<IamAccessKeySecret>,
): Promise<void> {
  const [answer, own] = await Promise.all([
    ask(aws, next, context, (attempt) =>
      askUntil(attempt, ({ outcome }) => outcome !== 'rejected', aws.patienceMs),
    ),
    ownAccount(aws, context),
  ]);
  if (answer.outcome !== 'accepted') throw answer.error;
  const user = /^arn:[a-z-]+:iam::\d{12}:user\/(?:.*\/)?([^/]+)$/.exec(answer.arn)?.[1];
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: names do not differ by case alone.
  const same = user?.toLowerCase() === next.username.toLowerCase() && answer.account === own;
  if (!same) {
    throw new SecretError(
      'IdentityMismatch',
      `the pending access key ${next.accessKeyId} belongs to ${answer.arn}, it must be of the user "${next.username}" in account ${own}; ${giveUpPending}`,
    );
  }
}
