import { z } from 'zod';
import { SecretError, TargetError } from '../../core/errors.ts';
import { generatePassword } from '../../core/password.ts';
import type { ApplyContext, ProbeResult, Rotator } from '../../rotators/rotator.ts';

/** The smallest target there can be: users with one password each. */
export class ModelTarget {
  readonly passwords = new Map<string, string>();

  /** @throws TargetError `AuthenticationRefused` */
  async login(username: string, password: string): Promise<void> {
    if (this.passwords.get(username) !== password) {
      throw new TargetError('AuthenticationRefused', `login of ${username} is refused`);
    }
  }

  async setPassword(username: string, password: string): Promise<void> {
    this.passwords.set(username, password);
  }
}

export interface ModelSecret {
  username: string;
  password: string;
  masterarn?: string | undefined;
}

/** A rotator for the {@link ModelTarget}, on the same contract as the real ones. */
export function modelRotator(target: ModelTarget): Rotator<ModelSecret> {
  const works = (credential: ModelSecret): Promise<boolean> =>
    target.login(credential.username, credential.password).then(
      () => true,
      (error: unknown) => {
        if (error instanceof TargetError) {
          return false;
        }
        throw error;
      },
    );
  const wayIn = async (
    next: ModelSecret,
    { credentials, strategy }: ApplyContext<ModelSecret>,
  ): Promise<'done' | 'open'> => {
    if (strategy === 'alternating-users') {
      const admin = await credentials.admin();
      if (admin === undefined) {
        throw new SecretError('AdminSecretMissing', 'alternating users need an admin secret');
      }
      await target.login(admin.username, admin.password);
      return 'open';
    }
    if (await works(credentials.current)) {
      return 'open';
    }
    if (await works(next)) {
      return 'done';
    }
    const previous = await credentials.previous();
    if (previous !== undefined && (await works(previous))) {
      return 'open';
    }
    for await (const other of credentials.others()) {
      if (await works(other)) {
        return 'open';
      }
    }
    throw new SecretError('CredentialUnusable', 'nothing at hand logs in');
  };
  return {
    type: 'model',
    strategies: ['single-user', 'alternating-users'],
    schema: z.looseObject({ username: z.string(), password: z.string(), masterarn: z.string().optional() }),
    async propose(current, { strategy, random, passwords }) {
      const flipped = current.username.endsWith('_clone')
        ? current.username.slice(0, -6)
        : `${current.username}_clone`;
      return {
        ...current,
        username: strategy === 'single-user' ? current.username : flipped,
        password: generatePassword(passwords, random),
      };
    },
    check(next) {
      if (next.password.length < 8) {
        throw new SecretError(
          'PendingValueRefused',
          `the pending password has ${next.password.length} characters; at least 8 are needed`,
        );
      }
    },
    async apply(next, context) {
      if ((await wayIn(next, context)) === 'open') {
        await target.setPassword(next.username, next.password);
      }
    },
    async probe(credential): Promise<ProbeResult> {
      return (await works(credential))
        ? { outcome: 'accepted' }
        : {
            outcome: 'rejected',
            error: new TargetError('AuthenticationRefused', `login of ${credential.username} is refused`),
          };
    },
    async contain(leaked) {
      target.passwords.delete(leaked.username);
      return { loginsRefused: true, sessionsEnded: 0 };
    },
    identity: ({ username }) => username,
  };
}
