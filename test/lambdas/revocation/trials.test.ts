import { expect, test } from '@jest/globals';
import { TargetError } from '../../../core/errors/rekey-error.ts';
import type { ProbeResult } from '../../../core/rotator.ts';
import { tryLeaked } from '../../../lambdas/revocation/trials.ts';

interface Login {
  readonly username: string;
  readonly password: string;
}

/** A server that blocks a user after so many refused logins in a row. */
function server(limit: number) {
  const passwords = new Map([
    ['app', 'right'],
    ['other', 'right'],
  ]);
  const refused = new Map<string, number>();
  const probe = async ({ username, password }: Login): Promise<ProbeResult> => {
    await Promise.resolve();
    const before = refused.get(username) ?? 0;
    if (before >= limit) {
      return { outcome: 'unreachable', error: new TargetError('TargetRefused', `${username} is blocked`) };
    }
    const right = passwords.get(username) === password;
    refused.set(username, right ? 0 : before + 1);
    return right
      ? { outcome: 'accepted' }
      : { outcome: 'rejected', error: new TargetError('AuthenticationRefused', 'refused') };
  };
  return { probe, identity: ({ username }: Login) => username };
}

const context = { connectTimeoutMs: 1, statementTimeoutMs: 1, finding: () => undefined };
const current = { username: 'app', password: 'right' };
const leaked = (username: string, password: string) => ({
  credential: { username, password },
  identity: username,
});

test('many leaked passwords of the user in use do not block it', async () => {
  const rotator = server(2);
  const found = [
    ...Array.from({ length: 9 }, (_, n) => leaked('app', `leaked ${n}`)),
    leaked('other', 'right'),
    leaked('app', 'right'),
  ];
  const results = await tryLeaked(rotator, found, current, context);
  expect(results.map(({ outcome }) => outcome)).toEqual([
    ...Array.from({ length: 9 }, () => 'rejected'),
    'accepted',
    'accepted',
  ]);
  expect(await rotator.probe(current)).toEqual({ outcome: 'accepted' });
});

/** A rotator that notes which credentials were tried, and how many at the same time; `right` is the password that works. */
function watched() {
  const tried: string[] = [];
  let [trying, most] = [0, 0];
  const rotator = {
    identity: ({ username }: Login) => username,
    probe: async ({ username, password }: Login): Promise<ProbeResult> => {
      tried.push(`${username} ${password}`);
      trying += 1;
      most = Math.max(most, trying);
      await new Promise((resolve) => setImmediate(resolve));
      trying -= 1;
      return password === 'right'
        ? { outcome: 'accepted' }
        : { outcome: 'rejected', error: new TargetError('AuthenticationRefused', 'refused') };
    },
  };
  return { rotator, tried, most: () => most };
}

test('the current credential logs in after a refusal of its own user, and after nothing else', async () => {
  const { rotator, tried } = watched();
  const found = [leaked('app', 'right'), leaked('app', 'wrong'), leaked('other', 'wrong')];
  const results = await tryLeaked(rotator, found, { username: 'app', password: 'current' }, context);
  expect(results.map(({ outcome }) => outcome)).toEqual(['accepted', 'rejected', 'rejected']);
  expect(tried.filter((login) => login === 'app current')).toHaveLength(1);
  expect(tried.indexOf('app current')).toBeGreaterThan(tried.indexOf('app wrong'));
});

test('credentials of the user in use are tried one after the other, those of others at the same time', async () => {
  const own = watched();
  await tryLeaked(own.rotator, [leaked('app', 'a'), leaked('app', 'b')], current, context);
  expect(own.most()).toBe(1);
  const others = watched();
  await tryLeaked(others.rotator, [leaked('other', 'a'), leaked('other', 'b')], current, context);
  expect(others.most()).toBe(2);
});
