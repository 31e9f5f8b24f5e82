import { describe, expect, test } from '@jest/globals';
import type { SecretContent } from '../../../core/secret/definition.ts';
import type { Strategy } from '../../../core/secret/secret.ts';
import {
  apart,
  contentMarks,
  differences,
  markOf,
  merge,
  staying,
  withoutContent,
} from '../../../lambdas/rotation/content.ts';
import { rotator } from '../../../rotators/postgresql/rotator.ts';

const single = { rotator, strategy: 'single-user' as Strategy };
const alternating = { rotator, strategy: 'alternating-users' as Strategy };
const fields = { engine: 'postgres', host: 'db.internal', username: 'app' };
const held = { ...fields, password: 'in use' };
const credential = (change: object) => rotator.schema.parse({ ...held, ...change });

describe('what a credential is bound to', () => {
  test.each([
    ['TLS that is demanded where nothing was said', { ssl: 'unsaid' }, { ssl: 'tls' }, []],
    ['TLS that is given up', { ssl: 'unsaid' }, { ssl: 'plaintext' }, ['ssl']],
    ['TLS that is no longer demanded', { ssl: 'tls' }, { ssl: 'unsaid' }, ['ssl']],
    ['TLS where there was none', { ssl: 'plaintext' }, { ssl: 'tls' }, ['ssl']],
    ['a host, whatever it is called', { host: 'unsaid' }, { host: 'tls' }, ['host']],
    ['a key that only one of them has', { host: 'a' }, { host: 'a', port: 1 }, ['port']],
  ])('%s', (_name, one, other, keys) => {
    expect(differences({ ...one }, { ...other })).toEqual(keys);
  });

  test.each([
    ['two users who take turns are one', alternating, 'app_clone', []],
    ['another user is another one', alternating, 'payments', ['username']],
    ['where none takes turns, the other one of a pair is another one', single, 'app_clone', ['username']],
  ])('%s', (_name, rules, username, keys) => {
    expect(apart(credential({}), credential({ username }), rules)).toEqual(keys);
  });
});

describe('the content of a definition', () => {
  test('makes a first value the JSON that it says, with nothing besides', () => {
    expect(merge({ password: 'first' }, { fields }, single)).toStrictEqual({
      json: { ...fields, password: 'first' },
      moved: [],
    });
  });

  test('sets no credential that is in use', () => {
    const content = { fields: { ...fields, password: 'of a template', team: 'orders' } };
    expect(merge(held, content, single)).toStrictEqual({ json: { ...held, team: 'orders' }, moved: [] });
  });

  test.each([
    ['keeps the one of two users that is in use', alternating, 'app_clone', 'app', []],
    ['moves two users who take turns to another one', alternating, 'payments', 'payments', ['username']],
    ['moves a single user to the other one of a pair', single, 'app_clone', 'app_clone', ['username']],
  ])('%s', (_name, rules, username, becomes, moved) => {
    expect(merge(held, { fields: { ...fields, username } }, rules)).toEqual({
      json: { ...held, username: becomes },
      moved,
    });
  });

  test('that makes no secret of the type is not merged', () => {
    for (const rules of [single, alternating]) {
      expect(merge(held, { fields: { ...fields, username: 17 } }, rules)).toBeUndefined();
    }
  });

  test('leaves no key behind where the credential stays for now', () => {
    const content: SecretContent = { fields: { ...fields, port: 6432, team: 'orders' } };
    const merged = merge(held, content, single);
    expect(merged).toMatchObject({ json: { port: 6432 }, moved: ['port'] });
    expect(merged && staying(merged, held, content)).toStrictEqual({ ...held, team: 'orders' });
  });
});

test.each([
  ['app', 'app_clone'],
  ['app_clone', 'app'],
])('of two users who take turns, a first value stands for the partner of %s', (username, partner) => {
  const next = credential({ username, password: 'next' });
  expect(withoutContent({ password: 'first' }, next, alternating)).toEqual({
    ...fields,
    username: partner,
    password: 'first',
  });
});

describe('the mark of a secret', () => {
  const content = { fields: { ...fields, team: 'orders' } };
  const { whole, bounded } = contentMarks(content);
  const elsewhere = { ...held, host: 'elsewhere.internal' };

  test.each([
    ['holds all of it', { ...held, team: 'orders' }, undefined, whole],
    ['holds another value', { ...held, team: 'by hand' }, undefined, undefined],
    ['had taken all of it over before a person changed it', { ...held, team: 'by hand' }, whole, whole],
    ['holds all but what binds it', { ...elsewhere, team: 'orders' }, undefined, bounded],
    [
      'is changed by hand, and bound elsewhere as before',
      { ...elsewhere, team: 'by hand' },
      bounded,
      bounded,
    ],
    ['is changed by hand, and bound as it says by now', { ...held, team: 'by hand' }, bounded, whole],
  ])('that %s', (_name, json, tag, mark) => {
    expect(markOf(json, content, single, tag)).toBe(mark);
  });

  test('is none where its content makes no secret of the type', () => {
    expect(markOf(held, { fields: { ...fields, host: 17 } }, single, undefined)).toBeUndefined();
  });
});
