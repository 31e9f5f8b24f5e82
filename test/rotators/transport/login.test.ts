import { describe, expect, test } from '@jest/globals';
import { TargetError } from '../../../core/errors/rekey-error.ts';
import {
  LoginHindered,
  LoginRefused,
  LoginWithoutSession,
  orDenied,
  orRefused,
  probeLogin,
  unlessBusy,
  using,
} from '../../../rotators/transport/login.ts';

const refused = new LoginRefused('the server refused the password');
const locked = new LoginHindered('too many failed logins');
const inUse = new LoginWithoutSession('TargetBusy', 'the user has no connection left');
const noDatabase = new LoginWithoutSession('DatabaseMissing', 'there is no database "shop"');
const full = new TargetError('TargetBusy', 'the server has no connection left');
const defect = new TypeError('what is this?');

const failing = (error: unknown) => Promise.reject(error);

test.each([
  ['refused', LoginRefused, 'AuthenticationRefused'],
  ['hindered', LoginHindered, 'TargetRefused'],
] as const)(
  'of a %s login the password counts as wrong unless the server said otherwise',
  (_how, Denied, code) => {
    const { message, passwordAccepted } = new Denied('not today');
    expect({ message, passwordAccepted }).toEqual({ message: 'not today', passwordAccepted: false });
    expect(new Denied('expired', true)).toMatchObject({ code, passwordAccepted: true });
  },
);

describe('a login', () => {
  test('that succeeds gives its session', async () => {
    const login = Promise.resolve('a session');
    expect([await unlessBusy(login), await orRefused(login), await orDenied(login)]).toEqual(
      Array(3).fill('a session'),
    );
  });

  test('that finds all connections of its user in use gives none', async () => {
    expect(await unlessBusy(failing(inUse))).toBeUndefined();
  });

  test.each([
    ['no database', noDatabase],
    ['a full server', full],
    ['a refusal', refused],
  ])('that finds %s is not one of a busy user', async (_what, error) => {
    await expect(unlessBusy(failing(error))).rejects.toBe(error);
  });

  test('that is refused gives the refusal', async () => {
    expect([await orRefused(failing(refused)), await orDenied(failing(refused))]).toEqual([refused, refused]);
  });

  test('that is hindered gives the reason only to who asks for it', async () => {
    expect(await orDenied(failing(locked))).toBe(locked);
    await expect(orRefused(failing(locked))).rejects.toBe(locked);
  });

  test.each([
    ['a full server', full],
    ['a user without connections', inUse],
    ['a defect', defect],
  ])('that fails for %s is neither refused nor hindered', async (_what, error) => {
    await expect(orDenied(failing(error))).rejects.toBe(error);
    await expect(orRefused(failing(error))).rejects.toBe(error);
  });
});

describe('a trial of a credential', () => {
  test('is accepted by a login', async () => {
    expect(await probeLogin(async () => 'a session')).toEqual({ outcome: 'accepted' });
  });

  test('is rejected only by a refusal without doubt', async () => {
    expect(await probeLogin(() => failing(refused))).toEqual({ outcome: 'rejected', error: refused });
  });

  test.each([
    ['a hindered login', locked],
    ['a full server', full],
    ['a missing database', noDatabase],
  ])('is no more than unreachable for %s', async (_what, error) => {
    expect(await probeLogin(() => failing(error))).toEqual({ outcome: 'unreachable', error });
  });

  test('tells that the password is right where the connections of its user are in use', async () => {
    expect(await probeLogin(() => failing(inUse))).toEqual({
      outcome: 'unreachable',
      error: inUse,
      passwordAccepted: true,
    });
  });

  test('fails with what no server has said', async () => {
    await expect(probeLogin(() => failing(defect))).rejects.toBe(defect);
  });
});

describe('a connection', () => {
  const opened = () => {
    const closed: string[] = [];
    return { closed, end: async () => void closed.push('closed') };
  };

  test('is closed after the work, whose result stays', async () => {
    const session = opened();
    const result = await using(session, async ({ closed }) => `${closed.length} closed before`);
    expect({ result, closed: session.closed }).toEqual({ result: '0 closed before', closed: ['closed'] });
  });

  test('is closed when the work fails', async () => {
    const session = opened();
    await expect(using(session, () => failing(defect))).rejects.toBe(defect);
    expect(session.closed).toEqual(['closed']);
  });
});
