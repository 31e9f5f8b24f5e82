import { z } from 'zod';
import { SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import type { ApplyContext, ProbeResult, Rotator } from '../../../core/rotator.ts';
import { generatePassword } from '../../../core/secret/password.ts';
import { commonSecretFields } from '../../../core/secret/secret.ts';

/** The smallest targets there can be: users with one password each, on one host or on several. */
export class ModelTarget {
  /** By {@link loginOf}. */
  readonly passwords = new Map<string, string>();
  /** Every password that a host has seen, as `<password>@<host>`. */
  readonly seen = new Set<string>();
  /** Hosts that do not answer. */
  readonly down = new Set<string>();

  /** @throws TargetError `AuthenticationRefused` | `TargetUnreachable` */
  async login(login: string, password: string): Promise<void> {
    const [, host = ''] = login.split('@');
    if (this.down.has(host)) throw new TargetError('TargetUnreachable', `${host} does not answer`);
    this.seen.add(`${password}@${host}`);
    if (this.passwords.get(login) !== password) {
      throw new TargetError('AuthenticationRefused', `login of ${login} is refused`);
    }
  }

  async setPassword(login: string, password: string): Promise<void> {
    this.passwords.set(login, password);
  }
}

export interface ModelSecret {
  username: string;
  password: string;
  host?: string | undefined;
  masterarn?: string | null | undefined;
}

/** A user at its host; at the one host that has no name, its name alone. */
export const loginOf = ({ username, host }: Pick<ModelSecret, 'username' | 'host'>): string =>
  host === undefined ? username : `${username}@${host}`;

/** A rotator for the {@link ModelTarget}, on the same contract as the real ones. */
export function modelRotator(target: ModelTarget): Rotator<ModelSecret> {
  const works = (credential: ModelSecret): Promise<boolean> =>
    target.login(loginOf(credential), credential.password).then(
      () => true,
      (error: unknown) => {
        if (error instanceof TargetError && error.code === 'AuthenticationRefused') {
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
      await target.login(loginOf(admin), admin.password);
      return 'open';
    }
    if (await works(credentials.current)) {
      return 'open';
    }
    if (await works(next)) {
      return 'done';
    }
    // As the real ones do: where the secret is now.
    const here = ({ password }: ModelSecret) => works({ ...next, password });
    const previous = await credentials.previous();
    if (previous !== undefined && (await here(previous))) {
      return 'open';
    }
    for await (const other of credentials.others()) {
      if (await here(other)) {
        return 'open';
      }
    }
    const admin = next.host === undefined ? undefined : await credentials.admin();
    if (admin !== undefined) {
      await target.login(loginOf(admin), admin.password);
      return 'open';
    }
    throw new SecretError('CredentialUnusable', 'nothing at hand logs in');
  };
  return {
    type: 'model',
    kind: 'replacing',
    strategies: ['single-user', 'alternating-users'],
    schema: z.looseObject({
      username: z.string(),
      password: z.string(),
      host: z.string().optional(),
      ...commonSecretFields,
    }),
    credentialKeys: () => ['password'],
    boundTo: ({ username, host = '' }) => ({ username, host }),
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
    check(next, current, { strategy }) {
      if (loginOf({ ...next, username: '' }) !== loginOf({ ...current, username: '' })) {
        throw new SecretError('IdentityMismatch', 'the pending version is of another host');
      }
      if ((next.username === current.username) !== (strategy === 'single-user')) {
        throw new SecretError('IdentityMismatch', 'the pending version is of another user');
      }
      if (next.password.length < 8) {
        throw new SecretError(
          'PendingValueRefused',
          `the pending password has ${next.password.length} characters; at least 8 are needed`,
        );
      }
    },
    async apply(next, context) {
      if ((await wayIn(next, context)) === 'open') {
        await target.setPassword(loginOf(next), next.password);
      }
    },
    async probe(credential): Promise<ProbeResult> {
      try {
        await target.login(loginOf(credential), credential.password);
        return { outcome: 'accepted' };
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        return { outcome: error.code === 'AuthenticationRefused' ? 'rejected' : 'unreachable', error };
      }
    },
    async contain(leaked) {
      target.passwords.delete(loginOf(leaked));
      return { loginsRefused: true, sessionsEnded: 0 };
    },
    identity: ({ username }) => username,
  };
}
