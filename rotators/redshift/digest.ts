import { createHash } from 'node:crypto';
import type { DriverConnection, DriverStream } from '../postgresql/wire.ts';
import { floodError, readBy } from '../transport/flood.ts';
import type { ServerForm } from './password.ts';

/** Codes of requests for authentication that the driver answers. Redshift's own for SHA-256 follows. */
const known = new Set([0, 3, 5]);
const digestCode = 13;
const sha256 = 0;

/**
 * Teaches the driver Redshift's login for users whose password is kept as SHA-256. Otherwise the driver would end the process
 * there. It listens to the server up to its first request for authentication and then steps aside.
 *
 * Request: `R`, code 13, algorithm, salt and nonce, each with its length before it. Answer: `d`, SHA-256 over SHA-256(password,
 * salt), the server's nonce and ours; then our nonce. So do AWS's own drivers.
 * @see https://github.com/aws/amazon-redshift-jdbc-driver
 */
export function answerDigest(connection: DriverConnection, password: string, heard: ServerForm): void {
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) => {
    // What is attached is the connection's own stream; only its type says less.
    const { stream: wire } = connection;
    attach(filtered(stream, wire, password, heard));
  };
}

/** Most bytes that a server says before it asks for a password. It says less than that; libpq takes half of it. */
const mostBeforeLogin = 64 * 1024;

const requestType = 'R'.charCodeAt(0);

/** Length of the shortest message: a type, and a length that counts itself. */
const shortestMessage = 5;

/** Returns the length of the message at the beginning, with its type. It is infinite while the length is unknown. */
const lengthOf = (data: Buffer): number =>
  data.length < shortestMessage ? Number.POSITIVE_INFINITY : data.readInt32BE(1) + 1;

function filtered(
  stream: Pick<DriverStream, 'on'>,
  wire: DriverStream,
  password: string,
  heard: ServerForm,
): Pick<DriverStream, 'on'> {
  let waiting: Buffer | undefined = Buffer.alloc(0);
  const pass = (data: Buffer, listener: (data: Buffer) => void): void => {
    if (waiting === undefined) {
      listener(data);
      return;
    }
    let unread: Buffer = Buffer.concat([waiting, data]);
    for (let length = lengthOf(unread); length <= unread.length; length = lengthOf(unread)) {
      // Shorter than any: a reader would never come to its end.
      if (length < shortestMessage) {
        refuse(wire);
        return;
      }
      const message = unread.subarray(0, length);
      unread = unread.subarray(length);
      if (message[0] !== requestType) {
        listener(message);
        continue;
      }
      waiting = undefined;
      const code = message.length < 9 ? undefined : message.readInt32BE(5);
      const answer = code === digestCode ? digestAnswer(message.subarray(9), password, heard) : undefined;
      if (answer !== undefined) wire.write(answer);
      else if (code !== undefined && known.has(code)) listener(message);
      else refuse(wire);
      if (unread.length > 0) listener(unread);
      return;
    }
    waiting = unread;
    if (unread.length > mostBeforeLogin) wire.destroy(floodError(mostBeforeLogin));
  };
  return {
    on(event: 'data' | 'end', listener: ((data: Buffer) => void) & (() => void)) {
      return event === 'data'
        ? stream.on(
            'data',
            readBy((data: Buffer) => pass(data, listener), wire),
          )
        : stream.on('end', listener);
    },
  };
}

const refuse = (wire: DriverStream): void =>
  wire.destroy(
    Object.assign(new Error('authentication not supported'), { code: 'AUTHENTICATION_UNSUPPORTED' }),
  );

/** Makes the answer to a request for SHA-256. @returns undefined when the request is not one for SHA-256, or is cut off */
function digestAnswer(request: Buffer, password: string, heard: ServerForm): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 4; parts.length < 2; ) {
    if (request.length < at + 4) return undefined;
    const end: number = at + 4 + request.readInt32BE(at);
    if (end < at || request.length < end) return undefined;
    parts.push(request.subarray(at + 4, end));
    at = end;
  }
  const [salt, serverNonce] = parts;
  if (salt === undefined || serverNonce === undefined || request.readInt32BE(0) !== sha256) return undefined;
  heard.saltBytes = salt.length;
  const ownNonce = Buffer.from(String(Date.now()));
  const kept = createHash('sha256').update(password).update(salt).digest();
  const digest = createHash('sha256').update(kept).update(serverNonce).update(ownNonce).digest();
  const size = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const body = [size(digest.length), digest, size(ownNonce.length), ownNonce];
  const length = body.reduce((bytes, { length }) => bytes + length, 4);
  return Buffer.concat([Buffer.from('d'), size(length), ...body]);
}
