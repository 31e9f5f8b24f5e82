import { setTimeout as sleep } from 'node:timers/promises';
import { SecretError } from '../../core/errors.ts';
import type { ApplyContext } from '../rotator.ts';
import type { Aws } from './aws.ts';
import { type Answer, ask, ownAccount } from './probe.ts';
import type { IamAccessKeySecret } from './schema.ts';

const firstWaitMs = 250;
const longestWaitMs = 3_000;

/**
 * See {@link Rotator.apply}. IAM made the key when it was proposed, so there is nothing to set; but IAM is eventually
 * consistent, so this waits until STS accepts it, and makes sure that it is a key of that user in the function's
 * account.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
 */
export async function apply(
  aws: Aws,
  next: IamAccessKeySecret,
  context: ApplyContext<IamAccessKeySecret>,
): Promise<void> {
  const [answer, own] = await Promise.all([
    ask(aws, next, context, (attempt) => untilAccepted(attempt, aws.patienceMs)),
    ownAccount(aws, context),
  ]);
  if ('outcome' in answer) throw answer.error;
  const user = /^arn:[a-z-]+:iam::\d{12}:user\/(?:.*\/)?([^/]+)$/.exec(answer.arn)?.[1];
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: names do not differ by case alone.
  const same = user?.toLowerCase() === next.username.toLowerCase() && answer.account === own;
  if (!same) {
    throw new SecretError(
      'IdentityMismatch',
      `the pending access key ${next.accessKeyId} belongs to ${answer.arn}, it must be of the user "${next.username}" in account ${own}; remove the AWSPENDING label and rotate again`,
    );
  }
}

/** Asks again, at growing intervals, for as long as the key is refused. */
async function untilAccepted(attempt: () => Promise<Answer>, patienceMs: number): Promise<Answer> {
  const deadline = Date.now() + patienceMs;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    const answer = await attempt();
    const refused = 'outcome' in answer && answer.outcome === 'rejected';
    if (!refused || Date.now() + waitMs > deadline) return answer;
    await sleep(waitMs);
  }
}
