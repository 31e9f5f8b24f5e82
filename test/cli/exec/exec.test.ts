import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../local/tour/eventually.ts';
import { ExecWorld, isRunning } from './world.ts';

const world = new ExecWorld();
const { service } = world;
const sentinel = 'tAndem-Qu1et-s3ntinel';
let made = 0;
const secret = (value: string | Record<string, unknown> = { password: sentinel }): string => {
  made += 1;
  const name = `/app/${made}`;
  service.put(name, value);
  return name;
};

beforeAll(() => world.start());
afterAll(() => world.stop());

describe('the command gets its secrets', () => {
  test('as variables, of which this process has none', async () => {
    const run = world.exec([
      '--secret',
      secret({ username: 'app', password: sentinel, port: 5432, ssl: true, nothing: null }),
      '--',
      'sh',
      '-c',
      'echo "$USERNAME $PASSWORD $PORT $SSL $(env | grep -c ^NOTHING) $$"; cat',
    ]);
    const [, pid] = await run.seen(/app tAndem-Qu1et-s3ntinel 5432 true 0 (\d+)/);
    const wrapper = run.process.pid ?? 0;
    const of = async (file: string) => (await readFile(file)).toString();
    expect(await of(`/proc/${wrapper}/environ`)).not.toContain(sentinel);
    expect(await of(`/proc/${wrapper}/cmdline`)).not.toContain(sentinel);
    expect(await of(`/proc/${pid}/cmdline`)).not.toContain(sentinel);
    // It is where it must be, so the search above can see it.
    expect(await of(`/proc/${pid}/environ`)).toContain(sentinel);
    // The guard knows a number.
    const children = (await of(`/proc/${wrapper}/task/${wrapper}/children`)).trim().split(' ');
    const guard = children.find((child) => child !== pid) ?? '';
    expect(await of(`/proc/${guard}/cmdline`)).toContain('rekey-guard');
    expect((await of(`/proc/${guard}/environ`)) + (await of(`/proc/${guard}/cmdline`))).not.toContain(
      sentinel,
    );
    run.process.stdin?.end();
    expect(await run.ended).toBe(0);
    expect(await readdir(world.directory)).toEqual([]);
    expect(run.stderr()).toBe('');
  });

  test('on a descriptor, in one line of JSON, and nothing in its environment', async () => {
    const { status, stdout } = await world.run([
      ...['--secret', `DB=${secret('plain\0text\nof two lines')}`, '--env-file-descriptor', '5'],
      ...['--', 'sh', '-c', 'cat <&5; env'],
    ]);
    const [line = '', ...environment] = stdout.split('\n');
    expect(JSON.parse(line)).toEqual({ DB: 'plain\0text\nof two lines' });
    expect(environment.join('\n')).not.toContain('plain');
    expect(status).toBe(0);
  });

  test('on a descriptor, as dotenv that a shell reads', async () => {
    const value = 'a "quoted" $HOME `x` \\ line\nand another';
    const { stdout } = await world.run([
      ...[
        '--secret',
        secret({ first: value, second: "it's" }),
        '--env-file-descriptor',
        '3',
        '--format',
        'dotenv',
      ],
      ...['--', 'sh', '-c', 'eval "$(cat <&3)"; printf "%s|%s" "$FIRST" "$SECOND"'],
    ]);
    expect(stdout).toBe(`${value}|it's`);
  });

  test('and a command that reads none of it is left alone', async () => {
    const { status, stderr } = await world.run([
      ...[
        '--secret',
        `BIG=${secret('x'.repeat(65_000))}`,
        '--env-file-descriptor',
        '3',
        '--',
        'sh',
        '-c',
        'exec 3<&-; exit 4',
      ],
    ]);
    expect([status, stderr]).toEqual([4, '']);
  });

  test('without the AWS credentials of this process, if wanted', async () => {
    const command = ['--', 'sh', '-c', 'env | grep ^AWS_ | sort'];
    const kept = await world.run(['--secret', secret(), ...command]);
    expect(kept.stdout).toContain('AWS_ACCESS_KEY_ID=');
    const withheld = await world.run(['--secret', secret(), '--no-aws-credentials', ...command], {
      AWS_SESSION_TOKEN: 'a session',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1/creds',
    });
    expect(withheld.stdout.replace(world.endpoint, '…').trim().split('\n')).toEqual([
      'AWS_CONFIG_FILE=/dev/null',
      'AWS_EC2_METADATA_DISABLED=true',
      'AWS_ENDPOINT_URL=…',
      'AWS_REGION=eu-central-1',
      'AWS_SHARED_CREDENTIALS_FILE=/dev/null',
    ]);
  });
});

describe('nothing runs', () => {
  const touch = ['--', 'sh', '-c', 'echo it has run'];
  test.each([
    ['a secret that is not there', ['--secret', '/nowhere'], 'SecretValueMissing'],
    ['two secrets with one variable', ['--secret', 'A=/app/a', '--secret', 'A=/app/b'], 'VariableTaken'],
    ['a key that a loader obeys', ['--secret', '/app/loader'], 'VariableNameRefused'],
    ['a key that is no name', ['--secret', '/app/digit'], 'VariableNameRefused'],
    ['a NUL', ['--secret', 'A=/app/nul'], 'VariableValueRefused'],
    ['plain text without a name', ['--secret', '/app/a'], 'SecretValueInvalid'],
    ['an unknown deed', ['--secret', 'A=/app/a', '--on-change', 'dance'], 'UsageInvalid'],
    ['lines without a descriptor', ['--secret', 'A=/app/a', '--on-change', 'write'], 'UsageInvalid'],
    ['an unknown option', ['--secret', 'A=/app/a', '--nope'], 'error'],
    ['no secret', [], 'error'],
  ])('for %s: 125', async (_name, argv, code) => {
    service.put('/app/a', sentinel);
    service.put('/app/b', sentinel);
    service.put('/app/loader', { ld_preload: sentinel });
    service.put('/app/digit', { '2fa': sentinel });
    service.put('/app/nul', `${sentinel}\0`);
    const { status, stdout, stderr } = await world.run([...argv, ...touch]);
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toContain(code);
    expect(stderr).not.toContain(sentinel);
  });

  test('without -- before the command', async () => {
    const { status, stderr } = await world.run(['--secret', secret(), 'true']);
    expect(status).toBe(125);
    expect(stderr).toContain('the command must stand behind --');
  });

  test('where Secrets Manager denies the value; the permission is named', async () => {
    service.refuse = { GetSecretValue: 'denied' };
    const { status, stderr } = await world.run(['--secret', secret(), ...touch]);
    service.refuse = {};
    expect(status).toBe(125);
    expect(stderr).toMatch(/AccessDenied: secretsmanager:GetSecretValue is denied to this caller/);
  });

  test('where Secrets Manager is not reached', async () => {
    const { status, stdout, stderr } = await world.run(['--secret', secret(), ...touch], {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    });
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toContain('rekey: Unreachable: secretsmanager:GetSecretValue got no answer');
  });

  test.each([
    ['is not there: 127', 'no-such-command-here', 127, 'CommandMissing'],
    ['may not be run: 126', '/etc/passwd', 126, 'CommandRefused'],
  ])('where the command %s', async (_name, file, code, error) => {
    const { status, stderr } = await world.run(['--secret', secret(), '--', file]);
    expect(status).toBe(code);
    expect(stderr).toContain(error);
  });
});

describe('the command ends as it would alone', () => {
  test.each([
    ['exit 0', 0],
    ['exit 3', 3],
    ['kill -KILL $$', 137],
    ['kill -SEGV $$', 139],
  ])('%s: %i', async (script, status) => {
    expect((await world.run(['--secret', secret(), '--', 'sh', '-c', script])).status).toBe(status);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT'] as const)(
    '%s is passed on, once',
    async (name) => {
      const trap = `trap 'echo got; trap "" ${name.slice(3)}; exit 9' ${name.slice(3)}; echo ready; while :; do sleep 0.05; done`;
      const run = world.exec(['--secret', secret(), '--', 'sh', '-c', trap]);
      await run.seen(/ready/);
      run.process.kill(name);
      expect(await run.ended).toBe(9);
      expect(run.stdout().match(/got/g)).toHaveLength(1);
    },
  );

  test('a signal that it does not handle ends both: 128 and its number', async () => {
    const run = world.exec(['--secret', secret(), '--', 'sh', '-c', 'echo ready; exec sleep 300']);
    await run.seen(/ready/);
    run.process.kill('SIGTERM');
    expect(await run.ended).toBe(143);
  });

  test('signals are as they are by default, also the one that a closed pipe sends', async () => {
    const { stdout } = await world.run(['--secret', secret(), '--', 'grep', 'SigIgn', '/proc/self/status']);
    expect(stdout).toMatch(/SigIgn:\s+0{16}\n/);
  });

  test('standard input and outputs are its own', async () => {
    const run = world.exec(['--secret', secret(), '--', 'sh', '-c', 'tr a-z A-Z; echo below >&2']);
    run.process.stdin?.end('hello');
    expect(await run.ended).toBe(0);
    expect([run.stdout(), run.stderr()]).toEqual(['HELLO', 'below\n']);
  });

  test('it does not outlive this process, even one that ignores SIGTERM', async () => {
    const script = 'trap "" TERM; echo "pid $$"; while :; do sleep 0.1; done';
    const run = world.exec(['--secret', secret(), '--stop-timeout', '1s', '--', 'sh', '-c', script]);
    const [, pid] = await run.seen(/pid (\d+)/);
    run.process.kill('SIGKILL');
    await run.ended;
    await eventually('the end of the command', async () => !(await isRunning(Number(pid))));
  });
});
