import { isIP } from 'node:net';
import { RedisClient } from '@redis/client';
import sockets from '@redis/client/dist/lib/client/socket.js';
import { TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import { AnswerLength, floodError, floodOf, mostBytes } from '../transport/flood.ts';
import { type LoginRefused, orRefused } from '../transport/login.ts';
import { publicAuthorities, trust } from '../transport/tls/authorities.ts';
import { noAnswer, type Phase } from '../transport/tls/failures.ts';
import { overTransport } from '../transport/tls/transport.ts';
import { commandError, connectError, loginError, type ReplyError, replyError } from './errors.ts';
import { portOf, type RedisSecret } from './schema.ts';

/** The purpose of a command. Both parts end up in the error if it fails, so neither may hold a value of a secret. */
export interface Purpose {
  /** Words for the deed: `change the passwords of "app"`. */
  readonly doing: string;
  /** ACL rule that permits it: `+acl|setuser`. */
  readonly missing: string;
}

/** The part of the driver's client that is used. Its own state keeping and command set are left aside. */
interface Client {
  connect(): Promise<unknown>;
  sendCommand(command: readonly string[]): Promise<unknown>;
  destroy(): void;
  on(event: 'error', listener: () => void): unknown;
}

const answers = new WeakMap<object, AnswerLength>();

function answerOf(socket: object): AnswerLength {
  const answer = answers.get(socket) ?? new AnswerLength(mostBytes.redis);
  answers.set(socket, answer);
  return answer;
}

/**
 * Ends a connection whose server sends on and on. The driver keeps a reply until it is whole, however long it is said to be. It
 * shows its sockets to nobody, so each is watched where it sends a command and where it hands on what came.
 */
function boundReplies(prototype: {
  emit(event: string | symbol, ...values: unknown[]): boolean;
  write(...values: never[]): unknown;
  destroy(): void;
}): void {
  const { emit, write } = prototype;
  prototype.write = function (this: typeof prototype, ...values) {
    answerOf(this).restart();
    return write.apply(this, values);
  };
  prototype.emit = function (this: typeof prototype, event, ...values) {
    const [data] = values;
    if (event === 'data' && data instanceof Uint8Array && answerOf(this).exceeds(data)) {
      emit.call(this, 'error', floodError(mostBytes.redis));
      this.destroy();
      return true;
    }
    return emit.call(this, event, ...values);
  };
}
boundReplies(sockets.default.prototype);

/** Answer of the server to a command that it may refuse. */
type Reply =
  | { readonly outcome: 'done'; readonly value: unknown }
  | { readonly outcome: 'refused'; readonly error: ReplyError };

/** A connection to the server, logged in. */
export class Session {
  /** Name of the connection: `user "app" at redis.example:6379`. */
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
    if (reply.outcome === 'refused') {
      throw commandError(reply.error, this.where, purpose.doing, purpose.missing);
    }
    return reply.value;
  }

  /**
   * Sends one command that the server may refuse.
   * @throws TargetError when no answer came
   */
  async attempt(command: readonly string[], { doing }: Purpose): Promise<Reply> {
    try {
      const value = await within(this.#timeoutMs, this.#client.sendCommand(command), () => {
        this.#client.destroy();
        return new TargetError(
          'TargetTimeout',
          `${this.where}: no answer within ${this.#timeoutMs} ms to: ${doing}`,
        );
      });
      return { outcome: 'done', value };
    } catch (error) {
      if (error instanceof TargetError) throw error;
      const refused = replyError(error);
      if (refused !== undefined) return { outcome: 'refused', error: refused };
      const flood = floodOf(error, this.where);
      if (flood !== undefined) throw flood;
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

/** Waits for the result of `work`, or after `milliseconds` throws the error that `late` makes. */
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
 * Connects and logs in with a secret. It uses TLS with the server's certificate and name verified unless the secret says
 * `"ssl": false`. AUTH is the one command that carries the password itself; servers keep it out of their logs.
 *
 * @throws TargetError; `LoginRefused` when it was the credential that was refused
 */
export async function open(secret: RedisSecret, context: TargetContext): Promise<Session> {
  const where = `user "${secret.username}" at ${secret.host}:${portOf(secret)}`;
  return await overTransport({ ...secret, port: portOf(secret) }, context, (encrypted) =>
    connect(secret, context, where, encrypted),
  );
}

async function connect(
  secret: RedisSecret,
  context: TargetContext,
  where: string,
  encrypted: boolean,
): Promise<Session> {
  // Not createClient: that makes a class with all commands anew for each set of options.
  const client: Client = new RedisClient(await clientOptions(secret, context, where, encrypted));
  // Without a listener, a connection that the server ends between two commands would end the process.
  client.on('error', () => {});
  let phase: Phase = 'connect';
  const login = async (): Promise<ReplyError | undefined> => {
    await client.connect();
    phase = 'login';
    try {
      await client.sendCommand(['AUTH', secret.username, secret.password]);
      return undefined;
    } catch (error) {
      const refused = replyError(error);
      if (refused === undefined) throw error;
      return refused;
    }
  };
  try {
    const refused = await within(context.connectTimeoutMs, login(), () => {
      return noAnswer(where, phase, context.connectTimeoutMs);
    });
    if (refused !== undefined) throw loginError(refused, where);
  } catch (error) {
    client.destroy();
    throw error instanceof TargetError ? error : connectError(error, where);
  }
  return new Session(client, where, context.statementTimeoutMs);
}

async function clientOptions(
  secret: RedisSecret,
  { certificateAuthorities: own, connectTimeoutMs }: TargetContext,
  where: string,
  encrypted: boolean,
) {
  const { host } = secret;
  const common = {
    host,
    port: portOf(secret),
    connectTimeout: connectTimeoutMs,
    reconnectStrategy: false,
  } as const;
  return {
    // The first thing that is said is our own AUTH, and it is said to any version.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    socket: encrypted
      ? {
          ...common,
          tls: true as const,
          secureContext: await trust(own, where, publicAuthorities),
          ...(isIP(host) === 0 && { servername: host }),
        }
      : common,
  } as const;
}

/** Logs in, or returns why the server refused this credential. Any other failure is thrown. */
export const tryOpen = (secret: RedisSecret, context: TargetContext): Promise<Session | LoginRefused> =>
  orRefused(open(secret, context));
