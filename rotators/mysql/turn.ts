import { createHash } from 'node:crypto';
import { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import type { Session } from './connection.ts';

/**
 * Runs one piece of work at a time per user or pair. The server gives the lock back when the connection ends, however it does.
 */
export async function inTurn<T>(
  session: Session,
  username: string,
  { statementTimeoutMs }: TargetContext,
  work: () => Promise<T>,
): Promise<T> {
  const name = `rekey:${createHash('sha256').update(username).digest('hex').slice(0, 40)}`;
  const seconds = Math.max(1, Math.floor(statementTimeoutMs / 1000) - 1);
  const [row] = await session.run<{ got: number | null }>(`SELECT GET_LOCK('${name}', ${seconds}) AS got`, {
    doing: 'wait for another rotation of the same users',
  });
  if (Number(row?.got) !== 1) {
    throw new TargetError(
      'TargetTimeout',
      `${session.place.where}: another rotation of "${username}" did not end within ${seconds} s`,
    );
  }
  return await work();
}
