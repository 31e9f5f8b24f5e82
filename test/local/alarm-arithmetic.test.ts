import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, jest, test } from '@jest/globals';
import { ensurePython } from '../../local/emulator/python.ts';

jest.setTimeout(60_000);

async function ask(cases: { states?: unknown[]; math?: unknown[] }) {
  const directory = await mkdtemp(join(tmpdir(), 'rekey-alarms-'));
  try {
    const script = join(import.meta.dirname, 'support', 'alarm_arithmetic.py');
    const { stdout } = await promisify(execFile)(
      await ensurePython(),
      [script, JSON.stringify({ states: [], math: [], ...cases })],
      {
        env: {
          PYTHONPATH: join(import.meta.dirname, '..', '..', 'local', 'emulator'),
          PYTHONDONTWRITEBYTECODE: '1',
          STATE_DIR: directory,
          PATH: process.env.PATH,
        },
      },
    );
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { states: string[]; math: unknown[] };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const [ok, alarm, insufficient, kept] = ['OK', 'ALARM', 'INSUFFICIENT_DATA', 'the state before'];

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html, both tables, as they stand
// today and as they stood in 2020.
describe('the state of an alarm follows from its data points as the tables of CloudWatch say', () => {
  const treatments = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;
  const tables = [
    { toAlarm: 3, points: '0 - X - X', states: [ok, ok, ok, ok] },
    { toAlarm: 3, points: '0 - - - -', states: [ok, ok, ok, ok] },
    { toAlarm: 3, points: '- - - - -', states: [insufficient, kept, alarm, ok] },
    { toAlarm: 3, points: '0 X X - X', states: [alarm, alarm, alarm, alarm] },
    { toAlarm: 3, points: '- - X - -', states: [alarm, kept, alarm, ok] },
    { toAlarm: 3, points: '- - - - X', states: [insufficient, kept, alarm, ok] },
    { toAlarm: 3, points: 'X - - - -', states: [alarm, kept, alarm, ok] },
    { toAlarm: 2, points: '0 - X - X', states: [alarm, alarm, alarm, alarm] },
    { toAlarm: 2, points: '0 0 X 0 X', states: [alarm, alarm, alarm, alarm] },
    { toAlarm: 2, points: '0 - X - -', states: [ok, ok, alarm, ok] },
    { toAlarm: 2, points: '- - - - 0', states: [ok, ok, alarm, ok] },
    { toAlarm: 2, points: '- - - X -', states: [alarm, kept, alarm, ok] },
    { toAlarm: 2, points: '- - - - X', states: [insufficient, kept, alarm, ok] },
  ];

  test('for every treatment of missing data', async () => {
    const cases = tables.flatMap(({ points, toAlarm }) =>
      treatments.map((missing) => [points, 3, toAlarm, missing, kept]),
    );
    const { states } = await ask({ states: cases });
    const seen = tables.map(({ toAlarm, points }, row) => ({
      toAlarm,
      points,
      states: states.slice(row * treatments.length, (row + 1) * treatments.length),
    }));
    expect(seen).toEqual(tables);
  });

  test('a late data point counts beside newer ones where one of two is enough, and is lost where one of one is asked', async () => {
    const { states } = await ask({
      states: [
        ['- X 0', 1, 1, 'notBreaching', ok],
        ['- - X 0', 2, 1, 'notBreaching', ok],
      ],
    });
    expect(states).toEqual([ok, alarm]);
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
describe('metric math', () => {
  const m1 = { 60: 30, 120: 20, 180: 0, 240: 0 };
  const m2 = { 60: 20, 180: 20 };
  const stamps = [60, 120, 180, 240];
  const cases: [string, unknown][] = [
    // The page's own example: 30, 20, 0, 0 and 20, -, 20, -.
    ['m1 < m2', { 60: 0, 120: 0, 180: 1, 240: 0 }],
    ['m1 >= 30', { 60: 1, 120: 0, 180: 0, 240: 0 }],
    ['m1 > 15 AND m2 > 15', { 60: 1, 120: 0, 180: 0, 240: 0 }],
    ['m1 + m2 * 2', { 60: 70, 120: 20, 180: 40, 240: 0 }],
    ['(m1 + 10) / m2', { 60: 2, 180: 0.5 }],
    ['-m2', { 60: -20, 180: -20 }],
    ['FILL(m2, 0)', { 60: 20, 120: 0, 180: 20, 240: 0 }],
    ['FILL(m2, REPEAT)', { 60: 20, 120: 20, 180: 20, 240: 20 }],
    ['SUM([m1, m2])', { 60: 50, 120: 20, 180: 20, 240: 0 }],
    ['MAX(METRICS())', { 60: 30, 120: 20, 180: 20, 240: 0 }],
    ['IF(m1 < 1, m2, 0)', { 60: 0, 120: 0, 180: 20 }],
    ['IF(m1 < 1, m2 + m1, 0)', { 60: 0, 120: 0, 180: 20, 240: 0 }],
    ['m1 + unknown', expect.stringContaining("names 'unknown'")],
    ['RATE(m1)', expect.stringContaining('uses RATE')],
    ['m1 +', expect.stringContaining('its end')],
    ['m1 ; m2', expect.stringContaining('unknown at')],
  ];

  test('computes as documented, and refuses what it does not know by its name', async () => {
    const { math } = await ask({ math: cases.map(([expression]) => [expression, { m1, m2 }, stamps]) });
    expect(cases.map(([expression], index) => [expression, math[index]])).toEqual(cases);
  });
});
