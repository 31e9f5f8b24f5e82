import { describe, expect, test } from '@jest/globals';
import { SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import { isProven, standingOf, untouched } from '../../../rotators/families/assigned.ts';
import { LoginHindered, LoginWithoutSession } from '../../../rotators/transport/login.ts';
import { account, atHand, Door, type Kept } from './at-hand.ts';

const inUse = new LoginWithoutSession('TargetBusy', 'the user has no connection left');
const noDatabase = new LoginWithoutSession('DatabaseMissing', 'there is no database "shop"');
/** What a server says of a password that is right and of no use. */
const expired = new LoginHindered('the password has expired', true);

describe('a pair of users', () => {
  const next = account('the next one', 'app_clone');

  const proofOf = async (answers: Readonly<Record<string, 'open' | Error>>, kept: Kept = {}) => {
    const { context, findings, read } = atHand(kept);
    const door = new Door(answers);
    const proven = await isProven(next, context, door.tryOpen).catch(({ code }: { code: string }) => code);
    expect(door.open).toBe(0);
    return { proven, tried: door.passwords, codes: findings.map(({ code }) => code), read, door };
  };

  test.each([
    ['that logs in', 'open'],
    ['that is right, and whose connections are used up', inUse],
    ['that is right and of no use', expired],
  ] as const)('is proven by a current password %s, and nothing else is tried', async (_which, answer) => {
    const { door, ...proof } = await proofOf({ 'the current one': answer });
    expect(proof).toEqual({ proven: true, tried: ['the current one'], codes: [], read: [] });
  });

  test.each(['app', 'app_clone'])('is proven by "%s", at the server of the pending version', async (user) => {
    const current = account('the current one', user, 'old.example');
    const { proven, door } = await proofOf({ 'the current one': 'open' }, { current });
    expect(proven).toBe(true);
    expect(door.tried).toEqual([account('the current one', user, next.host)]);
  });

  test('is proven by the previous version, and that the current one does not log in is a finding', async () => {
    const kept = { previous: account('before'), others: [account('long ago')] };
    const { door, ...proof } = await proofOf({ before: 'open' }, kept);
    expect(proof).toEqual({
      proven: true,
      tried: ['the current one', 'before'],
      codes: ['CurrentCredentialRefused'],
      read: ['previous'],
    });
  });

  test('is proven by an older version', async () => {
    const others = [account('wrong'), account('long ago'), account('older')];
    const { proven, tried } = await proofOf({ 'long ago': 'open' }, { others });
    expect({ proven, tried }).toEqual({ proven: true, tried: ['the current one', 'wrong', 'long ago'] });
  });

  test('is not proven by a third user, whose password is not tried', async () => {
    const kept = { current: account('of another', 'other'), previous: account('before', 'app_clone_clone') };
    const { proven, tried } = await proofOf({ 'of another': 'open', before: 'open' }, kept);
    expect({ proven, tried }).toEqual({ proven: 'CredentialUnusable', tried: [] });
  });

  test('that nothing proves is changed only where the deployment names it', async () => {
    expect(await proofOf({}, { assigned: true })).toMatchObject({
      proven: false,
      read: ['previous', 'assigned'],
    });
    expect(await proofOf({}, { previous: account('before') })).toMatchObject({
      proven: 'CredentialUnusable',
    });
  });

  test('is not judged while the server cannot be asked', async () => {
    const down = new TargetError('TargetUnreachable', 'no answer');
    expect(await proofOf({ 'the current one': down })).toMatchObject({ proven: 'TargetUnreachable' });
    expect(await proofOf({ 'the current one': noDatabase })).toMatchObject({ proven: 'DatabaseMissing' });
  });

  test('that nothing ties to the secret is refused with the lines for its configuration', async () => {
    const { context } = atHand({});
    await expect(isProven(next, context, new Door({}).tryOpen)).rejects.toThrow(
      'no version of the secret logs in as "app_clone", so the admin does not act for that user; if the secret is that ' +
        'user\'s, say so in its configuration and deploy: identity: { username: "app_clone", host: "db.example" } of an ' +
        'adopted secret, create.fields of a created one, or set its password by hand to that of one version',
    );
  });
});

describe('a leaked credential', () => {
  const leaked = account('the leaked one');

  const standing = async (answers: Readonly<Record<string, 'open' | Error>>, kept: Kept = {}) => {
    const { context, read } = atHand(kept);
    const door = new Door(answers);
    const found = await standingOf(leaked, context, door.tryOpen).catch((error: unknown) => error);
    expect(door.open).toBe(0);
    return { found, tried: door.passwords, read };
  };

  test('is of the user whom the deployment names, without a login', async () => {
    expect(await standing({}, { assigned: true })).toEqual({
      found: 'proven',
      tried: [],
      read: ['assigned'],
    });
  });

  test.each([
    ['logs in', 'open'],
    ['is right, and the connections of its user are used up', inUse],
    ['is right, and its database is gone', noDatabase],
    ['is right and of no use', expired],
  ] as const)('is of its user if it %s', async (_which, answer) => {
    expect(await standing({ 'the leaked one': answer })).toMatchObject({
      found: 'proven',
      tried: ['the leaked one'],
    });
  });

  test.each(['the current one', 'before', 'long ago'])('is of its user if %s logs in', async (one) => {
    const kept = { previous: account('before'), others: [account('wrong'), account('long ago')] };
    const { found, tried } = await standing({ [one]: 'open' }, kept);
    expect(found).toBe('proven');
    expect(tried.at(-1)).toBe(one);
  });

  test('is proven by nobody else: the password of another user is not even tried', async () => {
    const kept = {
      current: account('of the clone', 'app_clone'),
      previous: account('before', 'other'),
      others: [account('long ago', 'other')],
    };
    const answers = { 'of the clone': 'open', before: 'open', 'long ago': 'open' } as const;
    expect(await standing(answers, kept)).toMatchObject({ found: 'refused', tried: ['the leaked one'] });
    // Two users who take turns are one secret's.
    expect(await standing(answers, { ...kept, strategy: 'alternating-users' })).toMatchObject({
      found: 'proven',
      tried: ['the leaked one', 'of the clone'],
    });
  });

  test('of one of two users who take turns is not proven by a third', async () => {
    const kept = { current: account('of another', 'other'), strategy: 'alternating-users' } as const;
    expect(await standing({ 'of another': 'open' }, kept)).toMatchObject({ found: 'refused' });
  });

  test('is refused where every version is', async () => {
    const kept = { previous: account('before'), others: [account('long ago')] };
    expect(await standing({}, kept)).toMatchObject({
      found: 'refused',
      tried: ['the leaked one', 'the current one', 'before', 'long ago'],
    });
  });

  test('is judged without a previous version that cannot be read', async () => {
    const previous = new SecretError('SecretKeyUnusable', 'its key is disabled');
    const kept = { previous, others: [account('long ago')] };
    expect(await standing({ 'long ago': 'open' }, kept)).toMatchObject({ found: 'proven' });
  });

  test('is not called refused while the server cannot be asked: the first reason is thrown', async () => {
    const down = new TargetError('TargetUnreachable', 'no answer');
    const slow = new TargetError('TargetTimeout', 'no answer in time');
    const { found, tried } = await standing({ 'the leaked one': down, 'the current one': slow });
    expect(found).toBe(down);
    expect(tried).toEqual(['the leaked one', 'the current one']);
  });

  test.each([
    ['that will not pass', new TargetError('TlsRefused', 'another certificate')],
    ['of another kind', new TypeError('what is this?')],
  ])('is unknown for a reason %s', async (_which, reason) => {
    expect(await standing({ 'the leaked one': reason })).toMatchObject({ found: 'unknown' });
  });

  test('is proven by another version although it could not be tried itself', async () => {
    const down = new TargetError('TargetUnreachable', 'no answer');
    const answers = { 'the leaked one': down, 'the current one': 'open' } as const;
    expect(await standing(answers)).toMatchObject({ found: 'proven' });
  });
});

describe('a containment that has touched nothing', () => {
  test('says that the logins are refused where the server said so', () => {
    expect(untouched(account('x'), 'refused')).toEqual({
      loginsRefused: true,
      sessionsEnded: 0,
      note: expect.stringMatching(
        /refuses this and every other version as "app".*username: "app", host: "db.ex/,
      ),
    });
  });

  test('and that nobody knows where it did not', () => {
    expect(untouched(account('x'), 'unknown')).toEqual({
      loginsRefused: false,
      sessionsEnded: 0,
      note: expect.stringMatching(
        /that of "app" cannot be told by a login from here.*username: "app", host:/,
      ),
    });
  });
});
