import { setTimeout as sleep } from 'node:timers/promises';
import { TargetError } from '../../core/errors/rekey-error.ts';

/** Number of rounds of ending sessions before giving up. */
const rounds = 20;

/**
 * Ends sessions in rounds until two in a row find none. A login that was already under way may show up a moment later.
 *
 * @param round - ends the sessions that it finds, and returns what tells each from every other
 * @returns how many were ended
 * @throws TargetError `TargetTimeout` when there is no end of them
 */
export async function endSessions(
  where: string,
  username: string,
  round: () => Promise<readonly (string | number)[]>,
): Promise<number> {
  const ended = new Set<string | number>();
  let empty = 0;
  for (let count = 0; count < rounds; count += 1) {
    const found = await round();
    for (const id of found) ended.add(id);
    empty = found.length === 0 ? empty + 1 : 0;
    if (empty === 2) return ended.size;
    await sleep(found.length === 0 ? 100 : 25 + count * 10);
  }
  throw new TargetError(
    'TargetTimeout',
    `${where}: sessions of "${username}" are still open after ${rounds} rounds of ending them`,
  );
}
