import { SecretError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import { bringAbout, type Change, type Pace, type Worth } from '../families/aws-api/reset.ts';
import type { CacheUser, CacheUserApi } from './api.ts';
import { tryLogin } from './login.ts';
import { type CacheUserSecret, userIdOf } from './schema.ts';

/** The tools of a change. */
export interface Tools {
  readonly api: CacheUserApi;
  readonly pace: Pace;
}

/**
 * Finds the user that the secret is of.
 * @throws SecretError `IdentityMismatch` when the API knows it by another name, or it has no passwords at all
 * @throws TargetError
 */
export async function locate(
  secret: CacheUserSecret,
  api: CacheUserApi,
  context: TargetContext,
): Promise<CacheUser> {
  const user = await api.find(userIdOf(secret), context);
  if (user.username !== secret.username) {
    throw new SecretError(
      'IdentityMismatch',
      `${user.what} logs in as "${user.username}", the secret is of "${secret.username}"; correct userId, user_arn or username`,
    );
  }
  if (user.authentication === 'iam') {
    throw new SecretError(
      'IdentityMismatch',
      `${user.what} logs in by IAM and has no password; make it one of passwords first, or do without this secret`,
    );
  }
  return user;
}

/** A password that shows that a change is in force: it works then, or is refused then. */
export interface Sign {
  readonly kind: 'works' | 'gone';
  readonly password: CacheUserSecret;
}

async function signSeen(sign: Sign, context: TargetContext): Promise<Worth> {
  const login = await tryLogin(sign.password, context);
  if (sign.kind === 'works') return login;
  if (login === 'refused') return 'accepted';
  return login === 'accepted' ? 'refused' : login;
}

/**
 * Gives the user these passwords and no others, and waits until that is in force.
 * @param options.blind - takes the API's word when the cache cannot be reached
 * @throws TargetError
 */
export async function setPasswords(
  user: CacheUser,
  wanted: readonly CacheUserSecret[],
  options: Pick<Change<CacheUser>, 'deadline' | 'blind'> & { readonly sign: Sign },
  { api, pace }: Tools,
  context: TargetContext,
): Promise<void> {
  const passwords = wanted.map(({ password }) => password);
  const { deadline, blind, sign } = options;
  await bringAbout(user, {
    doing: 'the change of its passwords',
    deadline,
    pace,
    blind,
    look: ({ id }) => api.find(id, context),
    ask: (now) => api.setPasswords(now, passwords, context),
    login: () => signSeen(sign, context),
  });
}
