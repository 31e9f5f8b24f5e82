import { expect, test } from '@jest/globals';
import { endSessions } from '../../../rotators/families/sessions.ts';

test('sessions are looked for until two rounds in a row find none, and each counts once', async () => {
  const rounds = [[1, 2], [2], [], [3], []];
  let asked = 0;
  const ended = await endSessions('user "admin"', 'app', async () => rounds[asked++] ?? []);
  expect([ended, asked]).toEqual([3, 6]);
});

test('sessions without end are an error that names the user', async () => {
  let id = 0;
  const begun = performance.now();
  await expect(endSessions('user "admin"', 'app', async () => [id++])).rejects.toMatchObject({
    code: 'TargetTimeout',
    message: 'user "admin": sessions of "app" are still open after 20 rounds of ending them',
  });
  expect(id).toBe(20);
  // The pauses grow, so that whoever connects again and again has time to be noticed; a timer may be a little early.
  expect(performance.now() - begun).toBeGreaterThan(2_300);
});

test('a login that was under way gets a moment to show up before the second look', async () => {
  const looks: number[] = [];
  const ended = await endSessions('user "admin"', 'app', async () => {
    looks.push(performance.now());
    return [];
  });
  const [first = 0, second = 0] = looks;
  expect({ ended, looks: looks.length }).toEqual({ ended: 0, looks: 2 });
  expect(second - first).toBeGreaterThan(95);
});
