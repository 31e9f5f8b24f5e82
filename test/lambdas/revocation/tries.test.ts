import { expect, test } from '@jest/globals';
import { TargetError } from '../../../core/errors/rekey-error.ts';
import type { ProbeResult } from '../../../core/rotator.ts';
import { tryLeaked } from '../../../lambdas/revocation/tries.ts';

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
