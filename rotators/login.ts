import { TargetError } from '../core/errors.ts';
import type { ProbeResult } from './rotator.ts';

/** A login that the server refused for a reason that leaves no doubt about the credential itself. */
export class LoginRefused extends TargetError {
  /** The password was right, but the user may not log in: some servers look at that after the password. */
  readonly passwordAccepted: boolean;

  constructor(message: string, passwordAccepted = false) {
    super('AuthenticationRefused', message);
    this.passwordAccepted = passwordAccepted;
  }
}

/** Logs in, or returns why the server refused this credential; anything else that fails is thrown. */
export async function orRefused<S>(login: Promise<S>): Promise<S | LoginRefused> {
  try {
    return await login;
  } catch (error) {
    if (error instanceof LoginRefused) return error;
    throw error;
  }
}

/**
 * What a real login says of a credential. `rejected` only when the server left no doubt that it was this credential that
 * it refused; a missing database, a missing rule or a full server are no proof of that.
 */
export async function probeLogin(login: () => Promise<unknown>): Promise<ProbeResult> {
  try {
    await login();
    return { outcome: 'accepted' };
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return { outcome: error instanceof LoginRefused ? 'rejected' : 'unreachable', error };
  }
}

/** Runs `work` with a connection that is closed afterwards, come what may. */
export async function using<S extends { end(): Promise<void> | void }, T>(
  session: S,
  work: (session: S) => Promise<T>,
): Promise<T> {
  try {
    return await work(session);
  } finally {
    await session.end();
  }
}
