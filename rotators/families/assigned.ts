import { SecretError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext, Credentials } from '../../core/rotator.ts';
import { pairOf } from '../../core/secret/alternating-users.ts';
import { LoginDenied, LoginWithoutSession, unlessBusy } from '../transport/login.ts';
import { noteCurrentRefused } from './alternating.ts';

interface Login {
  readonly username: string;
  readonly password: string;
  readonly host: string;
}

/**
 * Refuses to have the admin act for a user whom only the secret's own JSON ties to it. Whoever may write the secret could name
 * any user of the server in it, and would get that user's login.
 * @param where - the server, for the error
 * @throws SecretError `CredentialUnusable`, with the line to add to the configuration
 */
export async function requireAssigned<S extends Login>(
  next: S,
  { isAssigned }: Pick<Credentials<S>, 'isAssigned'>,
): Promise<void> {
  if (await isAssigned(next)) return;
  throw new SecretError(
    'CredentialUnusable',
    `no version of the secret logs in as "${next.username}", so the admin does not act for that user; ${toAssign(next)}, ` +
      'or set its password by hand to that of one version',
  );
}

/** Gives the advice for a person who knows that the secret is right. */
export const toAssign = ({ username, host }: Login): string =>
  `if the secret is that user's, say so in its configuration and deploy: identity: { username: ${JSON.stringify(username)}, ` +
  `host: ${JSON.stringify(host)} } of an adopted secret, create.fields of a created one`;

/**
 * Tells whether any version of the secret logs in as a user of the pair. If none does, the deployment must name the pair.
 * Otherwise whoever may write the secret could name any user in it and have it cloned or handed over by the admin. A login that
 * fails although the password is right proves as much.
 * @throws SecretError `CredentialUnusable` where nothing ties the pair to the secret
 */
export async function isProven<S extends { username: string; password: string; host: string }>(
  next: S,
  context: ApplyContext<S>,
  tryOpen: (secret: S) => Promise<{ end(): Promise<void> } | LoginDenied>,
): Promise<boolean> {
  const { base, clone } = pairOf(next.username);
  const proves = async (kept: S): Promise<boolean> => {
    if (kept.username !== base && kept.username !== clone) return false;
    // A pool that holds every connection of the user: the server has looked at the password before it says so.
    const login = tryOpen({ ...next, username: kept.username, password: kept.password });
    const session = await unlessBusy(login);
    if (session === undefined) return true;
    if (session instanceof LoginDenied) return session.passwordAccepted;
    await session.end();
    return true;
  };
  if (await proves(context.credentials.current)) return true;
  noteCurrentRefused(context);
  const previous = await context.credentials.previous();
  if (previous !== undefined && (await proves(previous))) return true;
  for await (const other of context.credentials.others()) {
    if (await proves(other)) return true;
  }
  await requireAssigned(next, context.credentials);
  return false;
}

/** Answer to the question whether a leaked credential is of the user that it names. */
export type Standing = 'proven' | 'refused' | 'unknown';

/**
 * Finds out whether a leaked credential is of the user that it names. It is if the deployment says so, if it logs in, or if
 * another version of the same user does. Only then may an admin take that user's login away.
 *
 * @param tryOpen - where all of these point; may throw for what says nothing about the password
 * @throws TargetError that may pass, where no version has proven anything
 */
export async function standingOf<S extends Login>(
  leaked: S,
  { credentials, strategy }: Pick<ApplyContext<S>, 'credentials' | 'strategy'>,
  tryOpen: (secret: S) => Promise<{ end(): Promise<void> | void } | LoginDenied>,
): Promise<Standing> {
  if (await credentials.isAssigned(leaked)) return 'proven';
  let hindrance: unknown;
  const proves = async (kept: S | undefined): Promise<boolean> => {
    if (kept === undefined || !isOfUser(kept, leaked, strategy)) return false;
    try {
      const answer = await tryOpen(kept);
      if (answer instanceof LoginDenied) return answer.passwordAccepted;
      await answer.end();
      return true;
    } catch (error) {
      if (error instanceof LoginWithoutSession) return true;
      hindrance ??= error;
      return false;
    }
  };
  if (await proves(leaked)) return 'proven';
  if (await proves(credentials.current)) return 'proven';
  if (await proves(await credentials.previous().catch(() => undefined))) return 'proven';
  for await (const other of credentials.others()) {
    if (await proves(other)) return 'proven';
  }
  if (hindrance === undefined) return 'refused';
  if (isRetryable(hindrance)) throw hindrance;
  return 'unknown';
}

/** Tells whether two credentials are of one user. Two users who take turns count as one. */
export const isOfUser = (one: Login, other: Login, strategy: ApplyContext<Login>['strategy']): boolean =>
  one.username === other.username ||
  (strategy === 'alternating-users' && pairOf(one.username).base === pairOf(other.username).base);

const isRetryable = (error: unknown): boolean => Reflect.get(Object(error), 'retryable') === true;

/** Gives the result of a containment that has touched nothing. The user is not tied to the secret then. */
export const untouched = (leaked: Login, standing: Exclude<Standing, 'proven'>) =>
  standing === 'refused'
    ? {
        loginsRefused: true,
        sessionsEnded: 0,
        note: `the server refuses this and every other version as "${leaked.username}" already, so neither the login nor the sessions of that user were touched; ${toAssign(leaked)}`,
      }
    : {
        loginsRefused: false,
        sessionsEnded: 0,
        note: `whether the secret is that of "${leaked.username}" cannot be told by a login from here, so its login was not touched; ${toAssign(leaked)}`,
      };
