import type { LiveSession, TargetUnderTest } from './target.ts';

/** The part of a target under test that is the same wherever a credential is a user name and a password. */
export function passwordLogin<S extends { password: string }>(
  logIn: (secret: S) => Promise<LiveSession>,
): Pick<TargetUnderTest<S>, 'withPassword' | 'passwordOf' | 'logsIn' | 'openSession'> {
  return {
    withPassword: (secret, password) => ({ ...secret, password }),
    passwordOf: ({ password }) => password,
    openSession: logIn,
    logsIn: (secret) =>
      logIn(secret).then(
        async (session) => {
          await session.close();
          return true;
        },
        () => false,
      ),
  };
}

/** Whether `work` succeeds. */
export const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

/** Keys of no meaning to any rotator, which must survive every rotation. */
export const unknownKeys = { team: 'orders', nested: { kept: [1, null, 'x'] } };
