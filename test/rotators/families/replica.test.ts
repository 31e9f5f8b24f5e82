import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { ContainResult } from '../../../core/rotator.ts';
import { containAtReplica } from '../../../rotators/families/replica.ts';
import { LoginHindered, LoginRefused, LoginWithoutSession } from '../../../rotators/transport/login.ts';

const refused = new LoginRefused('the server refused the password');
const inUse = new LoginWithoutSession('TargetBusy', 'the user has no connection left');
const locked = new LoginHindered('too many failed logins');
const late =
  'the change at db-1 has not arrived at db-2:5432, where "app" logs in until it has; contain it again';

let clock = 0;
beforeEach(() => {
  clock = 60_000;
  jest.spyOn(performance, 'now').mockImplementation(() => clock);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** Contains at a replica that takes a second for each try and answers so, the last answer for good. */
async function contain(
  done: ContainResult,
  answers: readonly ('open' | Error)[],
  {
    statementTimeoutMs = 60_000,
    sessions = [2, 1],
  }: { statementTimeoutMs?: number; sessions?: number[] } = {},
) {
  const happened: string[] = [];
  let tries = 0;
  const result = await containAtReplica(
    done,
    {
      username: 'app',
      source: 'db-1',
      where: 'db-2:5432',
      endSessions: async () => {
        happened.push('sessions ended');
        return sessions.shift() ?? 0;
      },
      tryLeaked: async () => {
        const answer = answers[Math.min(tries, answers.length - 1)] ?? refused;
        tries += 1;
        clock += 1_000;
        if (answer instanceof LoginWithoutSession) throw answer;
        if (answer instanceof LoginRefused || answer instanceof LoginHindered) return answer;
        happened.push('logged in');
        return {
          end: () => {
            happened.push('logged out');
          },
        };
      },
    },
    { statementTimeoutMs },
  );
  return { result, happened, tries };
}

test('a replica that refuses the leaked credential is done, and the sessions of both servers count', async () => {
  const done = { loginsRefused: true, sessionsEnded: 4, note: 'by its admin' };
  expect(await contain(done, [refused])).toEqual({
    result: { loginsRefused: true, sessionsEnded: 7, note: 'by its admin' },
    happened: ['sessions ended', 'sessions ended'],
    tries: 1,
  });
});

test('a replica may hear of the change a moment later; sessions that began until then are ended, too', async () => {
  const { result, happened } = await contain({ loginsRefused: true, sessionsEnded: 0 }, ['open', refused]);
  expect(result).toEqual({ loginsRefused: true, sessionsEnded: 3 });
  expect(happened).toEqual(['sessions ended', 'logged in', 'logged out', 'sessions ended']);
});

test.each([
  ['whose user has no connection left', inUse],
  ['that is locked', locked],
])('a login %s is no refusal, and is tried again', async (_which, answer) => {
  const { result, tries } = await contain({ loginsRefused: true, sessionsEnded: 0 }, [answer, refused]);
  expect({ ...result, tries }).toEqual({ loginsRefused: true, sessionsEnded: 3, tries: 2 });
});

test.each([
  ['lets the leaked credential in', 'open'],
  ['has no connection left', inUse],
  ['is hindered', locked],
] as const)(
  'a replica that still %s when the time for a statement is over is told',
  async (_which, answer) => {
    const done = { loginsRefused: true, sessionsEnded: 1 };
    const { result, tries } = await contain(done, [answer], { statementTimeoutMs: 1 });
    expect({ ...result, tries }).toEqual({ loginsRefused: false, sessionsEnded: 4, note: late, tries: 1 });
  },
);

test.each([
  [60_000, 'five seconds at the most', 6],
  [2_000, 'two seconds where a statement may take no longer', 3],
])(
  'a replica whose statements may take %d ms may be behind for %s',
  async (statementTimeoutMs, _time, tried) => {
    const done = { loginsRefused: true, sessionsEnded: 0 };
    const { result, tries } = await contain(done, ['open'], { statementTimeoutMs });
    expect({ isRefused: result.loginsRefused, tries }).toEqual({ isRefused: false, tries: tried });
  },
);

test('what was said of the source stays beside what is said of the replica', async () => {
  const done = { loginsRefused: true, sessionsEnded: 0, note: 'by its admin' };
  const { result } = await contain(done, ['open'], { statementTimeoutMs: 1 });
  expect(result.note).toBe(`by its admin; ${late}`);
});

test('where the source has refused nothing there is nothing to wait for', async () => {
  const done = { loginsRefused: false, sessionsEnded: 1, note: 'not permitted' };
  expect(await contain(done, ['open'])).toEqual({
    result: { loginsRefused: false, sessionsEnded: 4, note: 'not permitted' },
    happened: ['sessions ended', 'sessions ended'],
    tries: 0,
  });
});
