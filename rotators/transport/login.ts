import { TargetError } from '../../core/errors/rekey-error.ts';
import type { ProbeResult } from '../../core/rotator.ts';

/*
 * What a login may end with, and what that says of the password:
 *
 *   LoginRefused         it is wrong, or the user is gone
 *   LoginHindered        nothing: it has expired, too many wrong ones came before, a trigger or a proxy stopped it
 *   LoginWithoutSession  it is right, and there is no place
 *   any other error      nothing: the server did not answer
 */

/** A login that a server answered with a refusal. Another password, or one that an admin sets, may get in. */
export abstract class LoginDenied extends TargetError {
  /** True if the password was right: the server refused for something that it looks at afterwards. */
  readonly passwordAccepted: boolean;

  protected constructor(
    code: 'AuthenticationRefused' | 'TargetRefused',
    message: string,
    passwordAccepted: boolean,
  ) {
    super(code, message);
    this.passwordAccepted = passwordAccepted;
  }
}

/** A login that the server refused for a reason that leaves no doubt about the credential itself. */
export class LoginRefused extends LoginDenied {
  constructor(message: string, passwordAccepted = false) {
    super('AuthenticationRefused', message, passwordAccepted);
  }
}

/**
 * A login that failed for a reason that is no proof against the password. It has expired, too many wrong ones came before, or a
 * trigger or a proxy stopped it.
 */
export class LoginHindered extends LoginDenied {
  constructor(message: string, passwordAccepted = false) {
    super('TargetRefused', message, passwordAccepted);
  }
}

/** A login that failed after the server had accepted the password. No place is free, or none for this database. */
export class LoginWithoutSession extends TargetError {}

/** Logs in, or returns undefined where the user has no connection left. The password was accepted then. */
export async function unlessBusy<S>(login: Promise<S>): Promise<S | undefined> {
  try {
    return await login;
  } catch (error) {
    if (error instanceof LoginWithoutSession && error.code === 'TargetBusy') return undefined;
    throw error;
  }
}

/** Logs in, or returns why the server refused this credential. Any other failure is thrown. */
export async function orRefused<S>(login: Promise<S>): Promise<S | LoginRefused> {
  const answer = await orDenied(login);
  if (answer instanceof LoginHindered) throw answer;
  return answer;
}

/** Logs in, or returns why the server kept this credential out. Any other failure is thrown. */
export async function orDenied<S>(login: Promise<S>): Promise<S | LoginRefused | LoginHindered> {
  try {
    return await login;
  } catch (error) {
    if (error instanceof LoginRefused || error instanceof LoginHindered) return error;
    throw error;
  }
}

/**
 * Judges a credential by a real login. It is `rejected` only when the server left no doubt that it refused this credential. A
 * missing database, a missing rule or a full server are no proof of that.
 */
export async function probeLogin(login: () => Promise<unknown>): Promise<ProbeResult> {
  try {
    await login();
    return { outcome: 'accepted' };
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    // The user's own connections are used up: the server has found the password right before it says so.
    const passwordAccepted = error instanceof LoginWithoutSession && error.code === 'TargetBusy';
    return {
      outcome: error instanceof LoginRefused ? 'rejected' : 'unreachable',
      error,
      ...(passwordAccepted && { passwordAccepted }),
    };
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
