import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainResult, TargetContext } from '../../core/rotator.ts';
import { LoginDenied, LoginRefused, unlessBusy } from '../transport/login.ts';

/** Longest wait for a replica to hear of what the admin has changed, in milliseconds. */
const longestLagMs = 5_000;

/** A replica that a secret names, while its admin secret names another server. */
export interface Replica {
  readonly username: string;
  /** Host of the server where the admin has acted. */
  readonly source: string;
  /** Host and port of the replica. */
  readonly where: string;
  /** Ends the sessions of the user at the replica; returns how many there were. */
  endSessions(): Promise<number>;
  /** Logs in at the replica with the leaked credential. */
  tryLeaked(): Promise<{ end(): Promise<void> | void } | LoginDenied>;
}

/**
 * Ends the sessions at a replica, too, after the admin has acted at its source. A replica hears of a change later, and its
 * sessions are its own.
 * @param done - what was done at the source
 */
export async function containAtReplica(
  done: ContainResult,
  replica: Replica,
  context: Pick<TargetContext, 'statementTimeoutMs'>,
): Promise<ContainResult> {
  const { username, source, where } = replica;
  const first = await replica.endSessions();
  const isRefused = done.loginsRefused && (await isRefusedSoon(replica, context));
  const sessionsEnded = done.sessionsEnded + first + (await replica.endSessions());
  if (isRefused || !done.loginsRefused) return { ...done, sessionsEnded };
  const note = `the change at ${source} has not arrived at ${where}, where "${username}" logs in until it has; contain it again`;
  return {
    loginsRefused: false,
    sessionsEnded,
    note: done.note === undefined ? note : `${done.note}; ${note}`,
  };
}

/** Tells whether a replica refuses the leaked credential by now, or within the time that it may be behind. */
async function isRefusedSoon(
  replica: Replica,
  { statementTimeoutMs }: Pick<TargetContext, 'statementTimeoutMs'>,
): Promise<boolean> {
  const deadline = performance.now() + Math.min(longestLagMs, statementTimeoutMs);
  for (;;) {
    const answer = await unlessBusy(replica.tryLeaked());
    if (answer instanceof LoginRefused) return true;
    if (answer !== undefined && !(answer instanceof LoginDenied)) await answer.end();
    // The server takes a moment to forget a session that was closed, which is not one to be ended.
    await sleep(250);
    if (performance.now() > deadline) return false;
  }
}
