import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext, RetireContext, RetireResult } from '../../core/rotator.ts';
import { locate, setPasswords, type Tools } from './change.ts';
import { tryLogin } from './login.ts';
import { isVouchedFor, requirePlace } from './place.ts';
import type { CacheUserSecret } from './schema.ts';

/**
 * Makes the user's passwords what the strategy wants: `single-user` the next one alone, `dual-credential` the next and
 * the current one. A current one that the cache refuses, as after a containment, does not come back.
 * @throws SecretError, TargetError
 */
export async function apply(
  next: CacheUserSecret,
  context: ApplyContext<CacheUserSecret>,
  tools: Tools,
): Promise<void> {
  const deadline = Date.now() + tools.pace.budgetMs;
  const { strategy, credentials } = context;
  const { current } = credentials;
  await requirePlace(next, context);
  if (strategy === 'dual-credential' && !next.host) {
    throw new SecretError(
      'StrategyUnsupported',
      `dual-credential leaves the user the current password beside the next one, and the secret of "${next.username}" names no ` +
        'host at which that could be tried: whoever may write the secret could give the user one. Add host, or use single-user',
    );
  }
  const login = await tryLogin(current, context);
  // What could not be tried afterwards is not changed.
  if (login instanceof TargetError) throw login;
  if (login === 'refused' && (await tryLogin(next, context)) === 'accepted') return;
  const user = await locate(next, tools.api, context);
  const keeps = strategy === 'dual-credential' && login === 'accepted';
  const options = { deadline, blind: false, sign: { kind: 'works', password: next } as const };
  await setPasswords(user, keeps ? [next, current] : [next], options, tools, context);
  if (user.authentication === 'no-password') {
    context.finding({
      code: 'PasswordlessLogin',
      message: `${user.what} let everybody in without a password; the rotation gave it one`,
    });
  }
  if (login !== 'refused') return;
  context.finding({
    code: 'CurrentCredentialRefused',
    message: `the cache refused the current password of "${current.username}"; ${user.what} was given the new one through the API`,
  });
}

/**
 * Leaves the user the current password alone; see {@link OverlappingRotator.retire}. It does so only when that one works, at a place that is
 * known to be the cache. Otherwise the old one may be the last that does, or the current one somebody else's.
 * @throws SecretError, TargetError
 */
export async function retire(
  old: CacheUserSecret,
  context: RetireContext<CacheUserSecret>,
  tools: Tools,
): Promise<RetireResult> {
  const deadline = Date.now() + tools.pace.budgetMs;
  const { current } = context.credentials;
  if (old.username !== current.username || old.password === current.password) return { done: 'nothing' };
  // Whose the current password is, a login there tells only where the place is the cache's.
  if (!(await isVouchedFor(current, context))) return { done: 'nothing' };
  const login = await tryLogin(old, context);
  if (login instanceof TargetError) throw login;
  if (login !== 'accepted' || (await tryLogin(current, context)) !== 'accepted') return { done: 'nothing' };
  const user = await locate(current, tools.api, context);
  await context.announce();
  await setPasswords(
    user,
    [current],
    { deadline, blind: false, sign: { kind: 'gone', password: old } },
    tools,
    context,
  );
  return { done: 'removed' };
}
