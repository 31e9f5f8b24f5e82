import type { LiveSession, TargetUnderTest } from './target.ts';

/** The part of a target under test that is the same wherever a credential is a user name and a password. */
export function passwordLogin<S extends { password: string }>(
  logIn: (secret: S) => Promise<LiveSession>,
): Pick<TargetUnderTest<S>, 'withPassword' | 'passwordOf' | 'logsIn' | 'openSession'> {
  return {
    withPassword: (secret, password) => ({ ...secret, password }),
    passwordOf: ({ password }) => password,
    openSession: logIn,
    logsIn: async (secret) => {
      const session = await logIn(secret).catch(() => undefined);
      // Cut off after it was let in, a session has logged in all the same; and nobody may be listening any more.
      await session?.close().catch(() => {});
      return session !== undefined;
    },
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
