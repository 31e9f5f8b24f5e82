import { expect, test } from '@jest/globals';
import { FakeCloud, healthy, rekey } from './fixture.ts';

const unsafe = /[^\P{Cc}\n]|\p{Cf}/u;
const hostile = ['\u001b]0;owned\u0007', '\u009b2J', '\u202e', '\r'];

/** Scripts hand names from events, tickets and tags to a command. What is wrong with them is said as other text is. */
test.each(hostile)('usage errors write no control characters (%j)', async (control) => {
  const argvs = [
    [`${control}command`],
    ['secret', `${control}command`],
    ['secret', 'list', `--${control}option`],
    ['secret', 'show', 'orders', control],
    ['revoke', 'orders', '--mode', `kill${control}`, '--reason', 'x'],
    ['secret', 'rotate', 'orders', '--timeout', `1m${control}`],
    ['pause', 'orders', '--reason', 'x', '--for', `4h${control}`],
  ];
  const written: string[] = [];
  for (const argv of argvs) {
    const { stdout, stderr } = await rekey(new FakeCloud(), argv);
    if (unsafe.test(stdout + stderr)) written.push(argv.join(' '));
  }
  expect(written).toEqual([]);
});

test.each(hostile)('nor does the question before something is changed (%j)', async (control) => {
  const { run } = await import('../../cli/run.ts');
  const asked: string[] = [];
  for (const argv of [
    ['revoke', 'ord', '--mode', 'kill', '--reason', 'x'],
    ['pause', 'ord', '--for', '1h', '--reason', 'x'],
    ['resume', 'ord'],
    ['secret', 'rotate', 'ord'],
  ]) {
    const cloud = new FakeCloud();
    const name = `ord${control}`;
    cloud.add(name, healthy);
    const silent = { terminal: true, write: () => undefined };
    await run(
      argv.map((word) => (word === 'ord' ? name : word)),
      {
        version: '1',
        stdout: silent,
        stderr: silent,
        variables: {},
        clock: { now: () => new Date(cloud.clock) },
        random: { bytes: (length) => new Uint8Array(length), integer: () => 0 },
        signal: new AbortController().signal,
        sleep: async () => undefined,
        readHidden: async () => '',
        profiles: async () => [],
        connect: async () => cloud.ports,
        processes: async () => {
          throw new Error('unused');
        },
        auditCopy: async () => cloud.ports.auditSource('unused'),
        ask: async (question) => {
          asked.push(question);
          return 'n';
        },
      },
    );
  }
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((question) => unsafe.test(question))).toEqual([]);
});
