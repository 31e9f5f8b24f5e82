import { describe, expect, test } from '@jest/globals';
import { SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import { changePassword } from '../../../rotators/families/single-user.ts';
import { LoginHindered, LoginRefused } from '../../../rotators/transport/login.ts';
import { type Account, account, atHand, Door, type Kept } from './at-hand.ts';

const next = account('the next one');
const admin = account('of the admin', 'root');
/** What a server says of a password that is right and of no use. */
const expired = new LoginRefused('the password has expired', true);

/** Changes a password at such a server, and tells what happened there. */
async function change(
  door: Door,
  kept: Kept,
  { adminMay = true, onChange }: { adminMay?: boolean | 'where proven'; onChange?: () => void } = {},
) {
  const { context, findings, read } = atHand(kept);
  const changedBy: Account[] = [];
  const adminAsked: { readonly admin: Account; readonly proven: boolean }[] = [];
  let fault: unknown;
  await changePassword(next, context, {
    tryOpen: door.tryOpen,
    changeOwn: async ({ of }) => {
      onChange?.();
      changedBy.push(of);
    },
    changeByAdmin: async (by, proven) => {
      adminAsked.push({ admin: by, proven });
      return adminMay === 'where proven' ? proven : adminMay;
    },
  }).catch((error: unknown) => {
    fault = error;
  });
  expect(door.open).toBe(0);
  return { changedBy, adminAsked, read, fault, found: findings.map(({ message }) => message) };
}

const ofRefusal = (repairedWith: string) => [
  `the server refused the current password of "app"; repaired with ${repairedWith}`,
];

describe('a user changes its own password', () => {
  test('with the current one, and nothing else is read or tried', async () => {
    const door = new Door({ 'the current one': 'open' });
    const { changedBy, read, found, fault } = await change(door, { admin, previous: account('before') });
    expect(changedBy).toEqual([account('the current one')]);
    expect({ tried: door.passwords, read, found, fault }).toEqual({
      tried: ['the current one'],
      read: [],
      found: [],
      fault: undefined,
    });
  });

  test('once: where an earlier run has done it there is nothing to do', async () => {
    const door = new Door({ 'the next one': 'open' });
    const { changedBy, adminAsked, read, found, fault } = await change(door, { admin, assigned: true });
    expect({ changedBy, adminAsked, read, found, fault }).toEqual({
      changedBy: [],
      adminAsked: [],
      read: [],
      found: [],
      fault: undefined,
    });
  });

  test('with the previous one, and that is a finding', async () => {
    const door = new Door({ before: 'open', 'long ago': 'open' });
    const kept = { admin, assigned: true, previous: account('before'), others: [account('long ago')] };
    const { changedBy, adminAsked, read, found } = await change(door, kept);
    expect(changedBy).toEqual([account('before')]);
    expect({ adminAsked, read, found }).toEqual({
      adminAsked: [],
      read: ['previous'],
      found: ofRefusal('the previous one'),
    });
  });

  test('with an older one where there is no admin', async () => {
    const door = new Door({ 'long ago': 'open', older: 'open' });
    const others = [account('wrong'), account('long ago'), account('older')];
    const { changedBy, adminAsked, found, fault } = await change(door, { others, assigned: true });
    expect({ changedBy, adminAsked }).toEqual({ changedBy: [account('long ago')], adminAsked: [] });
    expect({ found, fault }).toEqual({ found: ofRefusal('an older version'), fault: undefined });
  });

  test('at the server of the pending version, wherever older ones point', async () => {
    const door = new Door({ before: 'open' });
    const { changedBy } = await change(door, { previous: account('before', 'app', 'old.example') });
    expect(changedBy).toEqual([account('before')]);
  });

  test('and no password of another user is tried as its own', async () => {
    const door = new Door({ before: 'open', 'long ago': 'open' });
    const kept = { previous: account('before', 'other'), others: [account('long ago', 'other')] };
    const { changedBy, fault } = await change(door, kept);
    expect(changedBy).toEqual([]);
    expect(door.passwords).toEqual(['the current one', 'the next one']);
    expect(fault).toMatchObject({ code: 'CredentialUnusable' });
  });

  test.each(['the current one', 'before'])('and with %s its session is closed if that fails', async (one) => {
    const refused = new TargetError('PolicyRefused', 'too simple');
    const onChange = () => {
      throw refused;
    };
    const { fault } = await change(
      new Door({ [one]: 'open' }),
      { previous: account('before') },
      { onChange },
    );
    expect(fault).toBe(refused);
  });
});

describe('the admin changes it', () => {
  test('where the deployment names the user, before many wrong passwords are tried', async () => {
    const door = new Door({ 'long ago': 'open' });
    const kept = { admin, assigned: true, previous: account('before'), others: [account('long ago')] };
    const { changedBy, adminAsked, found, fault } = await change(door, kept);
    expect(changedBy).toEqual([]);
    expect(adminAsked).toEqual([{ admin, proven: false }]);
    expect(door.passwords).toEqual(['the current one', 'the next one', 'before']);
    expect({ found, fault }).toEqual({ found: ofRefusal('the admin secret'), fault: undefined });
  });

  test.each([
    ['pending', { 'the next one': expired }],
    ['previous', { before: expired }],
    ['older', { 'long ago': expired }],
  ] as const)('where the %s password is right and of no use', async (_which, answers) => {
    const kept = { admin, previous: account('before'), others: [account('long ago'), account('wrong')] };
    const { changedBy, adminAsked, found, fault } = await change(new Door(answers), kept);
    expect(changedBy).toEqual([]);
    expect(adminAsked).toEqual([{ admin, proven: true }]);
    expect({ found, fault }).toEqual({ found: ofRefusal('the admin secret'), fault: undefined });
  });

  test('where the current password is right and of no use, which is no finding', async () => {
    const { adminAsked, read, found } = await change(new Door({ 'the current one': expired }), {
      admin,
      others: [account('long ago')],
    });
    expect(adminAsked).toEqual([{ admin, proven: true }]);
    expect({ read, found }).toEqual({ read: ['previous', 'admin'], found: [] });
  });

  test('but not for a user whom nothing ties to the secret: an older version may', async () => {
    const kept = { admin, others: [account('long ago')] };
    const repaired = await change(new Door({ 'long ago': 'open' }), kept);
    expect(repaired).toMatchObject({ adminAsked: [], changedBy: [account('long ago')], fault: undefined });
    const { adminAsked, fault } = await change(new Door({}), kept);
    expect(adminAsked).toEqual([]);
    expect(fault).toMatchObject({
      code: 'CredentialUnusable',
      message: expect.stringContaining(
        'no version of the secret logs in as "app", so the admin does not act',
      ),
    });
  });

  test.each([
    ['the deployment names', { assigned: true }, {}],
    ['an older version proves', { others: [account('long ago')] }, { 'long ago': expired }],
  ] as const)('not if the user that %s is too privileged, which is said', async (_why, more, answers) => {
    const { adminAsked, fault, found } = await change(
      new Door(answers),
      { admin, ...more },
      { adminMay: false },
    );
    expect(adminAsked).toHaveLength(1);
    expect(found).toEqual([]);
    expect(fault).toMatchObject({
      code: 'CredentialUnusable',
      message: expect.stringMatching(/^the server refused "app"; neither do .* log in, and "app" is too pri/),
    });
  });

  test('once more where the proof comes late: a privileged user whom the deployment names', async () => {
    const kept = { admin, assigned: true, others: [account('long ago')] };
    const { adminAsked, found, fault } = await change(new Door({ 'long ago': expired }), kept, {
      adminMay: 'where proven',
    });
    expect(adminAsked).toEqual([
      { admin, proven: false },
      { admin, proven: true },
    ]);
    expect({ found, fault }).toEqual({ found: ofRefusal('the admin secret'), fault: undefined });
  });

  test('and a user that it may not change is left to an older version', async () => {
    const kept = { admin, assigned: true, others: [account('long ago')] };
    const { changedBy, fault } = await change(new Door({ 'long ago': 'open' }), kept, { adminMay: false });
    expect({ changedBy, fault }).toEqual({ changedBy: [account('long ago')], fault: undefined });
  });
});

test('a login that was hindered is told as such, with its reason', async () => {
  const door = new Door({ 'the current one': new LoginHindered('too many failed logins'), before: 'open' });
  const { found } = await change(door, { previous: account('before') });
  expect(found).toEqual([
    'the current password did not log in: too many failed logins; repaired with the previous one',
  ]);
});

test('without any way in, the error says what to do', async () => {
  const { fault } = await change(new Door({}), {
    previous: account('before'),
    others: [account('long ago')],
  });
  expect(fault).toMatchObject({
    code: 'CredentialUnusable',
    message:
      'the server refused "app"; neither do the pending, the previous and the other kept versions log in; ' +
      'name an admin secret in "masterarn", or set the password by hand to that of one version',
  });
});

describe('an admin secret that cannot be read', () => {
  const gone = new SecretError('SecretMissing', 'there is no such secret');

  test('does not keep an older version from repairing', async () => {
    const { changedBy, fault } = await change(new Door({ 'long ago': 'open' }), {
      admin: gone,
      others: [account('long ago')],
      assigned: true,
    });
    expect({ changedBy, fault }).toEqual({ changedBy: [account('long ago')], fault: undefined });
  });

  test('is the error where no version logs in', async () => {
    expect((await change(new Door({}), { admin: gone, assigned: true })).fault).toBe(gone);
  });

  test.each([
    ['a while', new TargetError('TargetBusy', 'too many requests')],
    ['a reason that nobody knows', new TypeError('what is this?')],
  ])('for %s is waited for: older passwords would be refused logins', async (_why, admin) => {
    const door = new Door({ 'long ago': 'open' });
    const { changedBy, fault } = await change(door, { admin, others: [account('long ago')] });
    expect({ changedBy, fault }).toEqual({ changedBy: [], fault: admin });
    expect(door.passwords).not.toContain('long ago');
  });
});
