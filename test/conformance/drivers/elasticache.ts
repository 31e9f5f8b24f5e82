import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { CreateUserCommand, ElastiCacheClient } from '@aws-sdk/client-elasticache';
import { IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import type { OverlappingRotator } from '../../../core/rotator.ts';
import { type LocalCloud, startCloud } from '../../../local/emulator/cloud.ts';
import { createUser } from '../../../local/emulator/principals.ts';
import { newFolder } from '../../../local/process/folders.ts';
import { documented } from '../../../local/servers/documented.ts';
import { receivePasswords } from '../../../local/servers/password-receiver.ts';
import { elastiCacheRotator } from '../../../rotators/elasticache/rotator.ts';
import { type CacheUserSecret, userIdOf } from '../../../rotators/elasticache/schema.ts';
import type { Pace } from '../../../rotators/families/aws-api/reset.ts';
import type { RedisSecret } from '../../../rotators/redis/schema.ts';
import { layLine } from '../cut.ts';
import { servedBy } from '../deployed.ts';
import { type Call, recorded } from '../recorded.ts';
import type { TargetUnderTest } from '../target.ts';
import { missing, type RedisUnderTest, start as startRedis } from './redis.ts';

export { missing };

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Users of caches as the suite and the tests of what is special about them use them. */
export interface ElastiCacheUnderTest extends TargetUnderTest<CacheUserSecret> {
  readonly rotator: OverlappingRotator<CacheUserSecret>;
  readonly cloud: LocalCloud;
  readonly redis: RedisUnderTest;
  /** How often the passwords of a user were set at the server. */
  changes(): number;
  /** The passwords that were set so. */
  readonly given: readonly string[];
  /** Cuts or mends the rotator's line to the API. */
  reachable(yes: boolean): void;
  paced(pace: Pace): TargetUnderTest<CacheUserSecret>['rotator'];
  /**
   * Leaves the functions the user of this secret alone, as `resources` of one that names its own does, and gives a rotator
   * whose calls are in {@link calls}.
   */
  onlyFor(secret: CacheUserSecret): Promise<TargetUnderTest<CacheUserSecret>['rotator']>;
  readonly calls: Call[];
}

/**
 * Users of the local cloud, whose ElastiCache API is the real one's as far as it is documented, in front of a real
 * Redis: the passwords that the API accepts are set there, and every login is real.
 * @param options.cloud - the local cloud; default: one of its own
 */
export async function start(options: { readonly cloud?: LocalCloud } = {}): Promise<ElastiCacheUnderTest> {
  const directory = await newFolder('elasticache');
  const [redis, cloud] = await Promise.all([startRedis(), options.cloud ?? startCloud({ directory })]);
  let changes = 0;
  const given: string[] = [];
  const receiver = await receivePasswords(async ({ username, passwords }) => {
    given.push(...passwords);
    const hashes = passwords.map((password) => `#${sha256(password)}`);
    await redis.superuser(['ACL', 'SETUSER', username, 'resetpass', ...hashes], ['ACL', 'SAVE']);
    changes += 1;
  });
  const { host, port } = redis.serverHandle;
  const Tags = receiver.tags(host, port);

  const policy: { Statement: { Action: string[]; Resource: string[] }[] } = JSON.parse(
    (await documented('elasticache', 'policy'))
      .replaceAll('eu-central-1', cloud.region)
      .replaceAll('111122223333', cloud.accountId)
      .replaceAll(':user:orders', ':user:*'),
  );
  const accessString = (await documented('elasticache', 'admin')).split(' ');
  const principal = await createUser(cloud, 'rekey-caches', policy.Statement);
  const iam = new IAMClient(cloud.clientOptions());
  const permit = async (without?: string) => {
    const Statement = policy.Statement.map((statement) => ({
      ...statement,
      Action: statement.Action.filter((action) => action !== without),
    }));
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    const request = { UserName: principal.name, PolicyName: 'granted', PolicyDocument };
    await iam.send(new PutUserPolicyCommand(request));
  };
  const quick: Pace = { budgetMs: 8_000, pollMs: 60, settleMs: 300 };
  const rotatorAt = (at: number, pace = quick) =>
    elastiCacheRotator({
      config: {
        ...cloud.clientOptions(principal.credentials),
        endpoint: `https://127.0.0.1:${at}`,
        maxAttempts: 2,
      },
      pace,
    });
  const calls: Call[] = [];
  const client = new ElastiCacheClient(cloud.clientOptions());
  const listened = recorded(client.config.requestHandler, calls);
  const onlyFor: ElastiCacheUnderTest['onlyFor'] = async (secret) => {
    const Resource = `arn:aws:elasticache:${cloud.region}:${cloud.accountId}:user:${userIdOf(secret)}`;
    const Statement = policy.Statement.map((statement) => ({ ...statement, Resource }));
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    const request = { UserName: principal.name, PolicyName: 'granted', PolicyDocument };
    await iam.send(new PutUserPolicyCommand(request));
    const requestHandler = listened;
    const config = { ...cloud.clientOptions(principal.credentials), requestHandler, maxAttempts: 2 };
    return elastiCacheRotator({ config, pace: quick });
  };
  const line = await layLine(cloud.port);
  const reachable = (yes: boolean) => (yes ? line.mend() : line.cutAfter(0, 'before'));

  let accounts = 0;
  const createAccount: ElastiCacheUnderTest['createAccount'] = async (options = {}) => {
    accounts += 1;
    const account = accounts;
    const username = `${options.name ?? 'app'}${options.exact ? '' : `_${account}`}`;
    const UserId = `user-${account}`;
    const password = options.password ?? `${crypto.randomUUID()}-first`;
    const AccessString = 'on ~* &* +@all -@dangerous';
    const created = await client.send(
      new CreateUserCommand({
        UserId,
        UserName: username,
        Engine: 'redis',
        AccessString,
        Tags,
        AuthenticationMode: { Type: 'password', Passwords: [password] },
      }),
    );
    const base = { engine: 'redis', host, port } as const;
    const admin: CacheUserSecret = {
      ...base,
      userId: 'ends-sessions',
      username: `ends_sessions_${account}`,
      password: `${crypto.randomUUID()}-admin`,
    };
    await redis.superuser(
      ['ACL', 'SETUSER', username, 'reset', `#${sha256(password)}`, ...AccessString.split(' ')],
      ['ACL', 'SETUSER', admin.username, 'reset', `#${sha256(admin.password)}`, ...accessString],
      ['ACL', 'SAVE'],
    );
    // AWS's own function names the user by its ARN.
    const named = account % 2 === 0 ? { userId: UserId } : { user_arn: created.ARN };
    const more = { team: 'orders', nested: { kept: [1, null, 'x'] } };
    return { secret: { ...base, ...named, username, password, ...more }, admin };
  };

  const cannot = (act: 'apply' | 'contain', action: string) => ({
    name: `${action} (${act})`,
    act,
    names: action,
    strategies: ['single-user', 'dual-credential'] as const,
    remove: () => permit(action),
    restore: () => permit(),
  });
  const { logsIn, openSession, outages } = redis;
  const asRedis = (secret: CacheUserSecret) => secret as RedisSecret;
  return {
    cloud,
    redis,
    reachable,
    onlyFor,
    calls,
    given,
    changes: () => changes,
    paced: (pace) => rotatorAt(line.port, pace),
    rotator: rotatorAt(line.port),
    server: redis.server,
    context: redis.context,
    createAccount,
    withPassword: (secret, password) => ({ ...secret, password }),
    passwordOf: ({ password }) => password,
    logsIn: (secret) => logsIn(asRedis(secret)),
    openSession: (secret) => openSession(asRedis(secret)),
    sessionsToldApart: (strategy) => (strategy === 'single-user' ? 2_700 : undefined),
    through: (at) => ({ rotator: rotatorAt(at), secret: (secret) => secret }),
    port: cloud.port,
    deployed: { environment: await servedBy(cloud, ['ELASTICACHE'], principal.credentials) },
    needsNoLogin: true,
    verifier: 'a'.repeat(64),
    awkward: {
      names: ['MixedCase', 'on', 'o-brien', 'x'.repeat(100), '+@all', '#hash'],
      passwords: [
        `';FLUSHALL;--and-more`,
        `back\\slash\\and'quote'`,
        '%s%I%L{0}$1:x%20-and-more',
        '&amp;<password>]]>-and-more',
        '#a=1&Passwords.member.2=other',
        '>x#y!z~^|`*?[](){}-_=+.;:',
        'a'.repeat(126),
      ],
    },
    outages: outages
      .filter(({ code }) => code === 'TargetUnreachable')
      .map(({ name, begin, end, ...outage }) => ({
        ...outage,
        name: `${name}, and the API is out of reach`,
        begin: async () => {
          reachable(false);
          await begin();
        },
        end: async () => {
          await end();
          reachable(true);
        },
      })),
    missingPermissions: [
      cannot('apply', 'elasticache:ModifyUser'),
      cannot('apply', 'elasticache:DescribeUsers'),
      cannot('contain', 'elasticache:ModifyUser'),
      cannot('contain', 'elasticache:DescribeUsers'),
    ],
    logged: 'SETUSER',
    readLog: async () => `${await redis.readLog()}\n${await readFile(cloud.logFile, 'utf8')}`,
    stop: async () => {
      await Promise.all([receiver.close(), line.close(), redis.stop()]);
      if (options.cloud === undefined) await cloud.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
