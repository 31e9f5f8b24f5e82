import { setTimeout as sleep } from 'node:timers/promises';

const firstWaitMs = 250;
const longestWaitMs = 3_000;

/**
 * Asks again, at growing intervals, until the answer is the wanted one or the patience ends. IAM is eventually consistent.
 * @returns the last answer
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
 */
export async function askUntil<T>(
  attempt: () => Promise<T>,
  done: (answer: T) => boolean,
  patienceMs: number,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    const answer = await attempt();
    if (done(answer) || Date.now() + waitMs > deadline) return answer;
    await sleep(waitMs);
  }
}
