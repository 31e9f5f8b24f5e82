import { z } from 'zod';
import { TargetError } from '../../../core/errors/rekey-error.ts';
import type { Rotator } from '../../../core/rotator.ts';
import { generatePassword } from '../../../core/secret/password.ts';

interface DualSecret {
  username: string;
  password: string;
}

/** The smallest target that takes two passwords of a user, and a whole list at a time. */
export class DualTarget {
  readonly #passwords = new Map<string, readonly string[]>();

  async set(username: string, passwords: readonly string[]): Promise<void> {
    this.#passwords.set(username, [...new Set(passwords)]);
  }

  async count(username: string): Promise<number> {
    return this.#passwords.get(username)?.length ?? 0;
  }

  async accepts({ username, password }: DualSecret): Promise<boolean> {
    return this.#passwords.get(username)?.includes(password) === true;
  }
}

/**
 * A rotator for the {@link DualTarget}. Its `retire` and `contain` set the current password alone, as one must where no
 * login can tell which passwords there are: they are as good as what they are told is current.
 */
export function dualRotator(target: DualTarget): Rotator<DualSecret> {
  return {
    type: 'dual',
    kind: 'overlapping',
    strategies: ['dual-credential'],
    schema: z.looseObject({ username: z.string(), password: z.string() }),
    identity: ({ username }) => username,
    credentialKeys: () => ['password'],
    boundTo: ({ username }) => ({ username }),
    propose: async (current, { passwords, random }) => ({
      ...current,
      password: generatePassword(passwords, random),
    }),
    check: () => undefined,
    async apply(next, { credentials: { current } }) {
      // One that was cut off does not come back.
      const kept = (await target.accepts(current)) ? [current.password] : [];
      await target.set(next.username, [next.password, ...kept]);
    },
    probe: async (credential) =>
      (await target.accepts(credential))
        ? { outcome: 'accepted' }
        : {
            outcome: 'rejected',
            error: new TargetError(
              'AuthenticationRefused',
              `a password of ${credential.username} is refused`,
            ),
          },
    async retire({ username }, { announce, credentials: { current } }) {
      if ((await target.count(username)) < 2) return { done: 'nothing' };
      await announce();
      await target.set(username, [current.password]);
      return { done: 'removed' };
    },
    async contain(leaked, { credentials: { current } }) {
      const spared = current.password !== leaked.password && (await target.accepts(current));
      await target.set(leaked.username, spared ? [current.password] : []);
      return { loginsRefused: true, sessionsEnded: 0 };
    },
  };
}
