import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { RedisClient } from '@redis/client';
import type { OverlappingRotator } from '../../../core/rotator.ts';
import { newFolder } from '../../../local/process/folders.ts';
import { documented } from '../../../local/servers/documented.ts';
import { findRedis, type RedisServer, startRedis } from '../../../local/servers/redis.ts';
import { rotator as redis } from '../../../rotators/redis/rotator.ts';
import { portOf, type RedisSecret } from '../../../rotators/redis/schema.ts';
import { passwordLogin, succeeds, unknownKeys } from '../login.ts';
import { serverOutages } from '../outages.ts';
import { patience } from '../pace.ts';
import type { Account, LiveSession, TargetUnderTest } from '../target.ts';

/** Not `createClient`, which makes a class anew for each set of options: slow where there are thousands of logins. */
const createClient = RedisClient.factory({});
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Why there is no server to be had, and the command that changes it. */
export async function missing(): Promise<string | undefined> {
  return (await findRedis()) === undefined
    ? 'there is no redis-server on this machine; apt-get install -y redis-server'
    : undefined;
}

/** Redis as the suite and the tests of what is special about it use it. */
export interface RedisUnderTest extends TargetUnderTest<RedisSecret> {
  readonly rotator: OverlappingRotator<RedisSecret>;
  readonly serverHandle: RedisServer;
  /** Sends commands as the superuser, past TLS; returns the reply of the last. */
  superuser(...commands: readonly (readonly string[])[]): Promise<unknown>;
  /** Takes one of the documented permissions away from the admin. */
  withoutRule(account: Account<RedisSecret>, rule: string): Promise<void>;
}

export async function start(
  options: Pick<Parameters<typeof startRedis>[0], 'users' | 'cluster'> = {},
): Promise<RedisUnderTest> {
  const server = await startRedis({ directory: await newFolder('redis'), ...options });
  const { channels } = server;
  /** As the documentation says for Redis 6.0. */
  const known = (words: readonly string[]) =>
    channels ? words : words.filter((word) => word !== '&*' && word !== 'resetchannels');
  const administration = (await documented('redis', 'admin')).split('\n').map((line) => {
    const words = line.split(' ');
    return channels || words[1] !== 'SETUSER' ? words : [...words, '+hello'];
  });
  const rules = administration.flat().filter((word) => word.startsWith('+'));
  const saves = (options.users ?? 'aclfile') === 'aclfile';

  const connectSuperuser = async () => {
    const client = new RedisClient({
      ...server.superuser,
      RESP: 2,
      socket: { path: server.socketPath, reconnectStrategy: false },
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const superuser: RedisUnderTest['superuser'] = async (...commands) => {
    const client = await connectSuperuser();
    try {
      let reply: unknown;
      for (const command of commands) reply = await client.sendCommand(known(command));
      return reply;
    } finally {
      client.destroy();
    }
  };
  const information = String(await superuser(['INFO', 'server']));
  const versionOf = (product: string) => new RegExp(`${product}_version:(\\S+)`).exec(information)?.[1];
  // Valkey tells a version of Redis too: the one that it is compatible with.
  const valkey = versionOf('valkey');

  // What the server lets others see, gathered while it happens: a stopped server forgets its slow log.
  const seen: string[] = [];
  const watch = async () => {
    const client = await connectSuperuser();
    await client.monitor((line) => seen.push(String(line)));
  };
  const collect = async () => {
    for (const command of [
      ['SLOWLOG', 'GET', '-1'],
      ['ACL', 'LOG', '128'],
      ['CLIENT', 'LIST'],
    ]) {
      seen.push(JSON.stringify(await superuser(command)));
    }
  };
  await watch();

  const secureContext = createSecureContext({ ca: [server.caPem] });
  /** As an application does: the driver's own login, not the rotator's. */
  const connect = async (secret: RedisSecret) => {
    const login = {
      username: secret.username,
      password: secret.password,
      // Redis 6.0 lets nobody log in by HELLO where the user "default" is off.
      RESP: channels ? 3 : 2,
      disableClientInfo: true,
      socket: {
        host: secret.host,
        port: portOf(secret),
        tls: true,
        secureContext,
        connectTimeout: patience.connectTimeoutMs,
        reconnectStrategy: false,
      },
    } as const;
    const client = createClient(login);
    client.on('error', () => {});
    try {
      await client.connect();
    } catch (error) {
      client.destroy();
      throw error;
    }
    return client;
  };
  const openSession = async (secret: RedisSecret): Promise<LiveSession> => {
    const client = await connect(secret);
    return {
      alive: () => succeeds(client.ping()),
      close: async () => client.destroy(),
    };
  };

  let accounts = 0;
  const createAccount: RedisUnderTest['createAccount'] = async (options = {}) => {
    accounts += 1;
    const username = `${options.name ?? 'app'}${options.exact ? '' : `_${accounts}`}`;
    const engine = valkey === undefined ? 'redis' : 'valkey';
    const base = { engine, host: server.host, port: server.port } as const;
    const secret: RedisSecret = {
      ...base,
      username,
      password: options.password ?? `${crypto.randomUUID()} first`,
      ...unknownKeys,
    };
    const admin: RedisSecret = {
      ...base,
      username: `rekey_admin_${accounts}`,
      password: `${crypto.randomUUID()} admin`,
    };
    const fill = (word: string) =>
      word.replaceAll('rekey_admin', admin.username).replaceAll('#…', `#${sha256(admin.password)}`);
    await superuser(
      ['ACL', 'SETUSER', username, 'reset', 'on', `#${sha256(secret.password)}`],
      ['ACL', 'SETUSER', username, '~*', '&*', '+@all', '-@dangerous'],
      ...administration.filter((words) => saves || words[1] !== 'SAVE').map((words) => words.map(fill)),
    );
    return { secret, admin };
  };

  const useCertificate = async (certificate: Parameters<RedisServer['writeCertificate']>[0]) => {
    const { cert, key } = await server.writeCertificate(certificate);
    await superuser(['CONFIG', 'SET', 'tls-cert-file', cert, 'tls-key-file', key]);
  };
  // All at once: Redis 6.0 cannot take a single subcommand away.
  const withoutRule: RedisUnderTest['withoutRule'] = async ({ admin }, rule) => {
    const others = rules.filter((one) => one !== rule);
    await superuser(['ACL', 'SETUSER', admin.username, '-@all', ...others]);
  };
  const both = ['single-user', 'dual-credential'] as const;
  return {
    rotator: redis,
    server: valkey === undefined ? `Redis ${versionOf('redis')}` : `Valkey ${valkey}`,
    serverHandle: server,
    context: { ...patience, certificateAuthorities: [server.caPem] },
    superuser,
    withoutRule,
    createAccount,
    ...passwordLogin(openSession),
    sessionsToldApart: (strategy) => (strategy === 'single-user' ? 2_700 : undefined),
    adminOnly: true,
    awkward: {
      names: [
        'MixedCase',
        'default',
        `quote"d`,
        "o'brien",
        'semi;FLUSHALL;--',
        'back\\slash',
        '100%_%s',
        '$1',
        '+@all',
        '>x',
        '#hash',
        'on',
        'user=superuser',
        'Größe-名前-🙂',
        'x'.repeat(300),
      ],
      passwords: [
        `'; FLUSHALL; --`,
        `"double" and 'single'`,
        'back\\slash\\',
        '%s %I %L {0} $1 :x',
        ' leading and trailing ',
        '\ttab\r\nnewline',
        '>password #hash !x',
        'Grüße aus Köln',
        'e\u0301 decomposed',
        'パスワード一二三四',
        'a'.repeat(1000),
      ],
    },
    outages: serverOutages({
      ...server,
      useCertificate,
      stop: async () => {
        await collect();
        await server.stop();
      },
      start: async () => {
        await server.start();
        await watch();
      },
    }),
    missingPermissions: [
      ...(['getuser', 'setuser'] as const).flatMap((name) =>
        (['apply', 'contain'] as const).map((act) => ({
          name: `ACL ${name.toUpperCase()}`,
          strategies: both,
          act,
          names: `+acl|${name}`,
          remove: (account: Account<RedisSecret>) => withoutRule(account, `+acl|${name}`),
        })),
      ),
      {
        name: 'CLIENT KILL',
        strategies: both,
        act: 'contain',
        names: '+client|kill',
        remove: (account) => withoutRule(account, '+client|kill'),
      },
      ...(channels
        ? []
        : [
            {
              name: 'HELLO',
              strategies: both,
              act: 'apply' as const,
              names: '+hello',
              remove: (account: Account<RedisSecret>) => withoutRule(account, '+hello'),
            },
          ]),
    ],
    verifier: 'a'.repeat(64),
    // Redis 6.0 lets nobody see commands of administrators.
    logged: channels ? 'SETUSER' : 'ROLE',
    async readLog() {
      await collect();
      return `${await readFile(server.logFile, 'utf8')}\n${seen.join('\n')}`;
    },
    stop: () => server.remove(),
  };
}
