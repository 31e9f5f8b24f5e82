import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { RedisClient } from '@redis/client';
import { TargetError } from '../../core/errors.ts';
import type { TargetContext } from '../rotator.ts';
import { commandError, connectError, loginError, type ReplyError, replyError } from './errors.ts';
import { portOf, type RedisSecret, wantsPlaintext } from './schema.ts';

/** What a command is for; both end up in the error if it fails, so neither may hold a value of a secret. */
export interface Purpose {
  /** In words: `change the passwords of "app"`. */
  readonly doing: string;
  /** The ACL rule that permits it: `+acl|setuser`. */
  readonly missing: string;
}

/** The part of the driver's client that is used: its own state keeping and command set are not. */
interface Client {
  connect(): Promise<unknown>;
  sendCommand(command: readonly string[]): Promise<unknown>;
  destroy(): void;
  on(event: 'error', listener: () => void): unknown;
}

/** One connection to the server, logged in. */
export class Session {
  /** `user "app" at redis.example:6379`. */
  readonly where: string;
  readonly #client: Client;
  readonly #timeoutMs: number;

  constructor(client: Client, where: string, timeoutMs: number) {
    this.#client = client;
    this.where = where;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Sends one command and returns its reply.
   * @throws TargetError
   */
  async run(command: readonly string[], purpose: Purpose): Promise<unknown> {
    const reply = await this.attempt(command, purpose);
    if ('refused' in reply) {
      throw commandError(reply.refused, this.where, purpose.doing, purpose.missing);
    }
    return reply.value;
  }

  /**
   * Sends one command that the server may refuse.
   * @throws TargetError when no answer came
   */
  async attempt(
    command: readonly string[],
    { doing }: Purpose,
  ): Promise<{ readonly value: unknown } | { readonly refused: ReplyError }> {
    try {
      const value = await within(this.#timeoutMs, this.#client.sendCommand(command), () => {
        this.#client.destroy();
        return new TargetError(
          'TargetTimeout',
          `${this.where}: no answer within ${this.#timeoutMs} ms to: ${doing}`,
        );
      });
      return { value };
    } catch (error) {
      if (error instanceof TargetError) throw error;
      const refused = replyError(error);
      if (refused !== undefined) return { refused };
      throw new TargetError(
        'TargetUnreachable',
        `${this.where}: the connection was lost while trying to ${doing}`,
      );
    }
  }

  end(): void {
    this.#client.destroy();
  }
}

/** The result of `work`, or after `milliseconds` the error that `late` makes. */
async function within<T>(milliseconds: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), milliseconds);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Connects and logs in with a secret, over TLS with the server's certificate and name verified unless the secret says
 * `"ssl": false`. AUTH is the one command that carries the password itself; servers keep it out of their logs.
 *
 * @throws TargetError; `LoginRefused` when it was the credential that was refused
 */
export async function open(secret: RedisSecret, context: TargetContext): Promise<Session> {
  const { host, username } = secret;
  const where = `user "${username}" at ${host}:${portOf(secret)}`;
  if (wantsPlaintext(secret)) {
    context.finding({
      code: 'PlaintextConnection',
      severity: 'high',
      message: `user "${username}" connects to ${host}:${portOf(secret)} without TLS, because the secret says "ssl": false; its password is sent as it is`,
    });
  }
  // Not createClient: that makes a class with all commands anew for each set of options.
  const client: Client = new RedisClient(clientOptions(secret, context, where));
  // Without a listener, a connection that the server ends between two commands would end the process.
  client.on('error', () => {});
  let waitedFor = 'a connection';
  const login = async (): Promise<ReplyError | undefined> => {
    await client.connect();
    waitedFor = 'the answer to the login';
    try {
      await client.sendCommand(['AUTH', username, secret.password]);
      return undefined;
    } catch (error) {
      const refused = replyError(error);
      if (refused === undefined) throw error;
      return refused;
    }
  };
  try {
    const refused = await within(context.connectTimeoutMs, login(), () => {
      const waited = `no answer within ${context.connectTimeoutMs} ms; waited for ${waitedFor}`;
      return new TargetError('TargetUnreachable', `${where}: ${waited}`);
    });
    if (refused !== undefined) throw loginError(refused, where);
  } catch (error) {
    client.destroy();
    throw error instanceof TargetError ? error : connectError(error, where);
  }
  return new Session(client, where, context.statementTimeoutMs);
}

function clientOptions(
  secret: RedisSecret,
  { certificateAuthorities: own, connectTimeoutMs }: TargetContext,
  where: string,
) {
  const { host } = secret;
  const common = {
    ...{ host, port: portOf(secret), connectTimeout: connectTimeoutMs },
    reconnectStrategy: false,
  } as const;
  return {
    // The first thing that is said is our own AUTH, and it is said to any version.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    socket: wantsPlaintext(secret)
      ? common
      : {
          ...common,
          tls: true as const,
          secureContext: trust(own, where),
          ...(isIP(host) === 0 && { servername: host }),
        },
  } as const;
}

const contexts = new Map<string, SecureContext>();

/** The TLS context that trusts the given authorities, or the public ones; made once, since that takes its time. */
function trust(own: readonly string[] | undefined, where: string): SecureContext {
  const key = own?.join('\n') ?? '';
  const known = contexts.get(key);
  if (known !== undefined) return known;
  try {
    // OpenSSL passes over text that is no certificate, and every server would then be refused for no visible reason.
    for (const pem of own ?? []) new X509Certificate(pem);
  } catch {
    throw new TargetError(
      'TlsRefused',
      `${where}: the given certificate authorities are no PEM certificates`,
    );
  }
  const context = createSecureContext({ ca: [...(own ?? rootCertificates)], minVersion: 'TLSv1.2' });
  contexts.set(key, context);
  return context;
}

/** Runs `work` with a connection that is closed afterwards, come what may. */
export async function using<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
  try {
    return await work(session);
  } finally {
    session.end();
  }
}
