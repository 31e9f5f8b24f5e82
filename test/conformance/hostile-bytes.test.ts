import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
/** A message of the protocol of PostgreSQL, with another length than its own where one is given. */
const message = (type: string, body: Buffer, length = body.length + 4): Buffer =>
  Buffer.concat([Buffer.from(type, 'latin1'), int(length), body]);

const nothing = Buffer.alloc(0);
const accepted = Buffer.concat([message('R', int(0)), message('Z', Buffer.from('I'))]);
/** One more column than there are, so to say: 65,535 are read as -1. */
const columns = message('T', Buffer.from([0xff, 0xff]));

/** What the server says to the first bytes that it hears, and to the next. */
const cases: readonly (readonly [what: string, types: readonly string[], replies: readonly Buffer[]])[] = [
  // Not even hostile: pg_hba.conf with the method gss or sspi.
  ['a request for a login by GSSAPI', ['postgresql'], [message('R', int(7))]],
  ['a request for a login by SSPI', ['postgresql'], [message('R', int(9))]],
  ['a request for a login of Redshift', ['postgresql'], [message('R', int(13))]],
  ['a request for a login of an unknown kind', ['postgresql'], [message('R', int(99))]],
  ['a request for a login without a kind', ['postgresql'], [message('R', nothing)]],
  ['a message of the length 0', ['postgresql'], [message('R', nothing, 0)]],
  ['a message of a negative length', ['redshift'], [message('N', nothing, -2_147_483_648)]],
  ['a message of the length -1, which is its own type', ['redshift'], [message('N', nothing, -1)]],
  ['key data that is cut off', ['postgresql', 'redshift'], [message('K', Buffer.alloc(1))]],
  ['-1 columns before the login', ['postgresql', 'redshift'], [columns]],
  ['-1 columns', ['postgresql', 'redshift'], [accepted, columns]],
];

const script = `
  const [loader, type, given] = process.argv.slice(1);
  const rotator = await (await import(loader)).loadRotator(type);
  const secret = rotator.schema.parse(JSON.parse(given));
  const limits = { connectTimeoutMs: 2_000, statementTimeoutMs: 2_000, finding: () => undefined };
  const { outcome } = await rotator.probe(secret, limits);
  console.log(outcome);
  process.exit();`;

let server: Server | undefined;
afterEach(() => {
  server?.close();
});

/** Says its words, one to each that it hears, and stays. */
async function serve(replies: readonly Buffer[]): Promise<number> {
  const started = createServer((socket) => {
    const rest = [...replies];
    socket.on('error', () => undefined);
    socket.on('data', () => {
      const reply = rest.shift();
      if (reply !== undefined) socket.write(reply);
    });
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const address = started.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * SECURITY.md: a hostile target cannot "take the function's memory or time". Its end is worse: whoever may write a secret adds a
 * version that points there, and the containment of all others ends with the process, each time, without a record.
 */
test.each(cases.flatMap(([what, types, replies]) => types.map((type) => [type, what, replies] as const)))(
  '%s: %s ends the trial, and neither the process nor its time',
  async (type, _what, replies) => {
    const port = await serve(replies);
    const engine = type === 'postgresql' ? 'postgres' : type;
    const secret = { engine, host: '127.0.0.1', port, ssl: false, username: 'app', password: 'x' };
    const loader = join(import.meta.dirname, '../load-rotator.ts');
    const args = ['--input-type=module', '-e', script, loader, type, JSON.stringify(secret)];
    const ended = await promisify(execFile)(process.execPath, args, {
      timeout: 20_000,
      killSignal: 'SIGKILL',
    }).then(
      ({ stdout }) => stdout.trim(),
      ({ signal, code }) => (signal === 'SIGKILL' ? 'hung' : `the process ended with ${code}`),
    );
    expect(ended).toBe('unreachable');
  },
);

const containing = `
  const [folder, hostile] = process.argv.slice(1);
  const { containLeaks } = await import(folder + '/lambdas/revocation/contain.ts');
  const { rotator: postgresql } = await import(folder + '/rotators/postgresql/rotator.ts');
  const { requestId, secretArn, World } = await import(folder + '/test/lambdas/revocation/world.ts');
  const world = new World();
  const version = (port, username) =>
    JSON.stringify({ engine: 'postgres', host: '127.0.0.1', port, ssl: false, username, password: 'x' });
  world.store.create(secretArn, version(1, 'app'));
  world.store.begin(secretArn, 'of-the-writer');
  await world.store.putPending(secretArn, 'of-the-writer', version(Number(hostile), 'other'));
  const input = { action: 'contain', requestId, correlationId: 'c', secretArn, secretName: 'orders' };
  await containLeaks(
    { ...input, versions: ['v1', 'of-the-writer'], named: false },
    { ...world.containment(), rotator: postgresql },
  ).catch(() => undefined);
  console.log(world.published().join());
  process.exit();`;

/** `kill` and `replace` alike: the function that cuts off ends, is tried again, and ends again. */
test('a version that points at a hostile server keeps no containment of the others from being done and recorded', async () => {
  const port = await serve([message('R', int(7))]);
  const folder = join(import.meta.dirname, '../..');
  const args = ['--input-type=module', '-e', containing, folder, String(port)];
  const ended = await promisify(execFile)(process.execPath, args, { timeout: 20_000 }).then(
    ({ stdout }) => stdout.trim(),
    ({ code, stderr }) => `the process ended with ${code}: ${/Error: .*/.exec(String(stderr))?.[0]}`,
  );
  expect(ended.split(',')).toContain('Credential Contained');
});
