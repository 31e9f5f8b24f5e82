import type { ElastiCacheClient, ElastiCacheClientConfig, User } from '@aws-sdk/client-elasticache';
import { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import { callApi, isNotFound } from '../families/aws-api/errors.ts';
import type { Resource } from '../families/aws-api/reset.ts';

/** A user as the API describes it. */
export interface CacheUser extends Resource {
  readonly id: string;
  readonly username: string;
  readonly passwordCount: number;
  /** Kind of login: `password`, `no-password` or `iam`. */
  readonly authentication: string;
}

/** Settings of the client. @default what the environment says */
export type ClientConfig = Pick<
  ElastiCacheClientConfig,
  'endpoint' | 'region' | 'credentials' | 'requestHandler' | 'maxAttempts'
>;

const where = 'the ElastiCache API';

/**
 * The ElastiCache API, as far as passwords of users go.
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyUser.html
 */
export class CacheUserApi {
  readonly #config: ClientConfig;
  #client: ElastiCacheClient | undefined;

  constructor(config: ClientConfig = {}) {
    this.#config = config;
  }

  /** Finds the user with this id. @throws TargetError */
  async find(id: string, context: TargetContext): Promise<CacheUser> {
    const call = { where, doing: `describe user ${id}`, action: 'elasticache:DescribeUsers', changes: false };
    const user = await callApi(call, context, async (abortSignal) => {
      const { DescribeUsersCommand } = await import('./client.ts');
      const client = await this.#open();
      return await client
        .send(new DescribeUsersCommand({ UserId: id }), { abortSignal })
        .then(({ Users = [] }) => Users[0])
        .catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        });
    });
    if (user === undefined) {
      throw new TargetError(
        'TargetRefused',
        `${where} knows no user "${id}" in this account and region; correct userId or user_arn in the secret`,
      );
    }
    return fromUser(user);
  }

  /**
   * Gives the user these passwords and no others, and returns it as it then is. Mostly the change is still to come.
   * @throws InvalidState when the user takes no change now
   * @throws TargetError
   */
  async setPasswords(
    { id, what }: CacheUser,
    passwords: readonly string[],
    context: TargetContext,
  ): Promise<CacheUser> {
    const call = {
      where,
      doing: `set the passwords of ${what}`,
      action: 'elasticache:ModifyUser',
      changes: true,
    };
    return await callApi(call, context, async (abortSignal) => {
      const { ModifyUserCommand } = await import('./client.ts');
      const AuthenticationMode = { Type: 'password' as const, Passwords: [...passwords] };
      const client = await this.#open();
      return fromUser(
        await client.send(new ModifyUserCommand({ UserId: id, AuthenticationMode }), { abortSignal }),
      );
    });
  }

  async #open(): Promise<ElastiCacheClient> {
    const { ElastiCacheClient } = await import('./client.ts');
    this.#client ??= new ElastiCacheClient(this.#config);
    return this.#client;
  }
}

function fromUser(user: User): CacheUser {
  const id = user.UserId ?? '';
  const status = user.Status ?? '';
  return {
    id,
    what: `ElastiCache user "${id}"`,
    username: user.UserName ?? '',
    status,
    changing: status === 'modifying',
    passwordCount: user.Authentication?.PasswordCount ?? 0,
    authentication: user.Authentication?.Type ?? '',
  };
}
