import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';

/**
 * A server of an attacker. It speaks enough of each protocol to be told passwords: it asks for them in the clear where the
 * protocol can, takes whoever comes, agrees to every statement, and keeps all that it is sent.
 */
export interface HostileServer {
  readonly port: number;
  /** Which of these passwords it was told, or sent a proof of that it can check. */
  learned(passwords: readonly string[]): string[];
  stop(): Promise<void>;
}

const message = (type: string, body: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type, 'latin1'), length, body]);
};
const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};
const ready = message('Z', Buffer.from('I'));
const accepted = Buffer.concat([message('R', int32(0)), ready]);
const sslRequest = 80_877_103;

/** PostgreSQL 3.0: no TLS, a password in the clear, and success for every statement. */
function answerPostgres(data: Buffer, state: { begun: boolean }): Buffer | undefined {
  if (!state.begun) {
    if (data.length >= 8 && data.readInt32BE(4) === sslRequest) return Buffer.from('N');
    state.begun = true;
    return message('R', int32(3));
  }
  const type = String.fromCharCode(data[0] ?? 0);
  if (type === 'p') return accepted;
  if (type === 'X') return undefined;
  return Buffer.concat([message('C', Buffer.from('OK 1\0')), ready]);
}

/** What proves a password to MySQL: native passwords are hashed with bytes that the server has chosen. */
const scramble = Buffer.from('abcdefghijklmnopqrst', 'latin1');
const sha1 = (...parts: readonly Buffer[]): Buffer => {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
function nativeProof(password: string): Buffer {
  const once = sha1(Buffer.from(password));
  const mask = sha1(scramble, sha1(once));
  return Buffer.from(once.map((byte, index) => byte ^ (mask[index] ?? 0)));
}

export const packet = (sequence: number, body: Buffer): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUIntLE(body.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, body]);
};
export const greeting = packet(
  0,
  Buffer.concat([
    ...[Buffer.from([10]), Buffer.from('8.0.36\0'), Buffer.from([1, 0, 0, 0]), scramble.subarray(0, 8)],
    // No TLS among the capabilities.
    ...[Buffer.from([0]), Buffer.from([0xff, 0xf7 & ~0x08, 33, 2, 0, 0xff, 0x81, 21]), Buffer.alloc(10)],
    ...[scramble.subarray(8), Buffer.from([0]), Buffer.from('mysql_native_password\0')],
  ]),
);
export const ok = (sequence: number): Buffer => packet(sequence, Buffer.from([0, 0, 0, 2, 0, 0, 0]));

function answer(kind: Protocol, data: Buffer, state: { begun: boolean }): Buffer | undefined {
  switch (kind) {
    case 'postgresql':
      return answerPostgres(data, state);
    case 'mysql':
      return ok((data[3] ?? 0) + 1);
    case 'redis':
      return Buffer.from('+OK\r\n'.repeat(Math.max(1, data.toString('latin1').split('*').length - 1)));
  }
}

type Protocol = 'postgresql' | 'mysql' | 'redis';

/** Starts a server of an attacker on this machine. */
export async function startHostile(protocol: Protocol): Promise<HostileServer> {
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const state = { begun: false };
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    if (protocol === 'mysql') socket.write(greeting);
    socket.on('data', (data) => {
      heard.push(data);
      const reply = answer(protocol, data, state);
      if (reply === undefined) socket.end();
      else socket.write(reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    learned(passwords) {
      const all = Buffer.concat(heard);
      return passwords.filter(
        (password) => all.includes(password) || (protocol === 'mysql' && all.includes(nativeProof(password))),
      );
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
