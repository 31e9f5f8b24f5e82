import { expect, test } from '@jest/globals';
import { eventually } from '../../../local/tour/eventually.ts';
import { type ExecRun, ExecWorld, isRunning, type SecretsService } from './world.ts';

const name = '/app/db';
const quick = ['--watch', '1s', '--stop-timeout', '2s'];
/** A service: says what it has, ends on SIGTERM with a word, and on the end of its input. */
const say = `trap 'echo stopped; exit 0' TERM; trap 'echo told' HUP; echo "got $PASSWORD as $$"; while :; do sleep 0.05; done`;
const talker = ['--', 'sh', '-c', say];

interface Scene {
  readonly run: ExecRun;
  readonly service: SecretsService;
  /** Waits for looks that begin from now on, so that one of them has seen what is there now. */
  looks(count: number): Promise<void>;
  /** Asks the command to end, and waits until it has. */
  end(): Promise<void>;
}

/** Tests side by side, each with a service of its own: all that they do is wait for looks. */
function scene(
  title: string,
  body: (
    start: (argv: readonly string[], command?: readonly string[]) => Scene,
    service: SecretsService,
  ) => Promise<void>,
): void {
  test.concurrent(title, async () => {
    const world = new ExecWorld();
    await world.start();
    const { service } = world;
    service.put(name, { password: 'first' });
    const start = (argv: readonly string[], command: readonly string[] = talker): Scene => {
      const run = world.exec(['--secret', name, ...quick, ...argv, ...command]);
      return {
        run,
        service,
        looks: async (count) => {
          const before = service.calls.length;
          await eventually('looks', async () => service.calls.length >= before + count);
        },
        end: async () => {
          run.process.kill('SIGTERM');
          await run.ended;
        },
      };
    };
    try {
      await body(start, service);
    } finally {
      await world.stop();
    }
  });
}

scene(
  'a new version restarts the command with the new value, after it has ended by itself',
  async (start, service) => {
    const { run } = start([]);
    const [, first] = await run.seen(/got first as (\d+)/);
    service.put(name, { password: 'second' });
    const [, second] = await run.seen(/stopped\ngot second as (\d+)/);
    expect(await isRunning(Number(first))).toBe(false);
    expect(second).not.toBe(first);
    await run.told(/\/app\/db@AWSCURRENT has another version; the process is restarted/);
    run.process.kill('SIGTERM');
    // Its own status, which its handler gives.
    expect(await run.ended).toBe(0);
    expect(run.stderr() + run.stdout().replace(/got (first|second)/g, '')).not.toMatch(/first|second/);
  },
);

scene(
  'what ignores SIGTERM is killed, with all that it has started, and then restarted',
  async (start, service) => {
    const stubborn = `trap '' TERM; sleep 300 & echo "got $PASSWORD with $!"; while :; do sleep 0.05; done`;
    const { run } = start([], ['--', 'sh', '-c', stubborn]);
    const [, helper] = await run.seen(/got first with (\d+)/);
    service.put(name, { password: 'second' });
    await run.seen(/got second/);
    expect(await isRunning(Number(helper))).toBe(false);
    run.process.kill('SIGKILL');
    await run.ended;
  },
);

scene('SIGTERM while it is being stopped ends it for good', async (start, service) => {
  const slow = `trap 'echo stopping' TERM; echo "got $PASSWORD"; while :; do sleep 0.05; done`;
  const { run } = start([], ['--', 'sh', '-c', slow]);
  await run.seen(/got first/);
  service.put(name, { password: 'second' });
  await run.seen(/stopping/);
  run.process.kill('SIGTERM');
  expect(await run.ended).toBe(137);
  expect(run.stdout()).not.toContain('second');
});

scene('a command that ends by itself is not started again', async (start) => {
  const { run } = start([], ['--', 'sh', '-c', 'echo "got $PASSWORD"; cat; exit 5']);
  await run.seen(/got first/);
  run.process.stdin?.end();
  expect(await run.ended).toBe(5);
});

scene('signal:SIGHUP tells it, and it goes on', async (start, service) => {
  const { run, looks, end } = start(['--on-change', 'signal:SIGHUP']);
  await run.seen(/got first/);
  service.put(name, { password: 'second' });
  await run.seen(/told/);
  await looks(2);
  expect(run.stdout().match(/told/g)).toHaveLength(1);
  await end();
});

scene('write gives another line for each change', async (start, service) => {
  const { run, end } = start(
    ['--env-file-descriptor', '3', '--on-change', 'write'],
    ['--', 'bash', '-c', 'while read -r -u 3 line; do echo "line $line"; done; echo end'],
  );
  await run.seen(/line \{"PASSWORD":"first"\}/);
  service.put(name, { password: 'second' });
  await run.seen(/line \{"PASSWORD":"second"\}/);
  service.put(name, { password: 'third' });
  await run.seen(/line \{"PASSWORD":"third"\}/);
  await end();
});

scene('exit stops it, and says so by its own status', async (start, service) => {
  const { run } = start(['--on-change', 'exit']);
  await run.seen(/got first/);
  service.put(name, { password: 'second' });
  expect(await run.ended).toBe(75);
  expect(run.stdout()).toContain('stopped');
});

scene('nothing leaves it alone, and says so once', async (start, service) => {
  const { run, looks, end } = start(['--on-change', 'nothing']);
  await run.seen(/got first/);
  service.put(name, { password: 'second' });
  await run.told(/the process keeps the one it has/);
  await looks(2);
  expect(run.stderr().match(/another version/g)).toHaveLength(1);
  expect(run.stdout()).not.toContain('second');
  await end();
});

for (const [how, warning] of [
  ['gone', /rekey: Unreachable: secretsmanager:DescribeSecret got no answer.*the process goes on/],
  [
    'denied',
    /rekey: AccessDenied: secretsmanager:DescribeSecret is denied to this caller.*the process goes on/,
  ],
] as const)
  scene(`while Secrets Manager is ${how}, it goes on, with one warning`, async (start, service) => {
    const { run, looks, end } = start([]);
    await run.seen(/got first/);
    service.refuse = { DescribeSecret: how };
    await run.told(warning);
    await looks(how === 'gone' ? 4 : 2);
    expect(run.stderr().match(/goes on/g)).toHaveLength(1);
    service.put(name, { password: 'second' });
    service.refuse = {};
    await run.seen(/got second/);
    expect(run.stderr()).toContain('secrets can be looked at again');
    await end();
  });

scene('a value that cannot be a variable costs no process that works', async (start, service) => {
  const { run, end } = start([]);
  await run.seen(/got first/);
  service.put(name, { password: 'sec\0ond' });
  await run.told(/VariableValueRefused: .*the process goes on/);
  expect(run.stderr()).not.toContain('sec\0ond');
  service.put(name, { password: 'third' });
  await run.seen(/got third/);
  await end();
});

scene('an answer that is behind restarts nothing', async (start, service) => {
  const { run, looks, end } = start([]);
  await run.seen(/got first/);
  const first = service.secrets.get(name)?.[0]?.id ?? '';
  service.put(name, { password: 'second' });
  await run.seen(/got second/);
  // Descriptions are behind, values are not; then the other way round.
  service.behind = { describe: first };
  await looks(4);
  service.behind = { read: first };
  await looks(2);
  service.behind = {};
  await looks(2);
  expect(run.stdout().match(/got/g)).toHaveLength(2);
  await end();
});

scene('two secrets that change together are one restart', async (start, service) => {
  service.put('/app/mail', 'mail-1');
  const { run, looks, end } = start(
    ['--secret', 'MAIL=/app/mail'],
    ['--', 'sh', '-c', 'echo "got $PASSWORD $MAIL"; exec sleep 300'],
  );
  await run.seen(/got first mail-1/);
  service.put(name, { password: 'second' });
  service.put('/app/mail', 'mail-2');
  await run.seen(/got second mail-2/);
  await looks(4);
  expect(run.stdout().match(/got/g)).toHaveLength(2);
  await end();
});

scene('restarts of a secret that changes all the time take longer and longer', async (start, service) => {
  const { run, end } = start([], ['--', 'sh', '-c', 'echo "got $PASSWORD"; exec sleep 300']);
  await run.seen(/got first/);
  service.put(name, { password: 'second' });
  await run.seen(/got second/);
  service.put(name, { password: 'third' });
  await run.seen(/got third/);
  service.put(name, { password: 'fourth' });
  await run.told(/restarted often of late/);
  await run.seen(/got fourth/);
  await end();
});
