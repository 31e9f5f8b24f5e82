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
  await expect(endSessions('user "admin"', 'app', async () => [id++])).rejects.toMatchObject({
    code: 'TargetTimeout',
    message: 'user "admin": sessions of "app" are still open after 20 rounds of ending them',
  });
  expect(id).toBe(20);
});
