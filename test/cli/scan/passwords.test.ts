import { randomInt } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { assignedIn } from '../../../cli/scan/live.ts';
import { generatePassword, passwordPolicy } from '../../../core/secret/password.ts';
import { zipOf } from './pack.ts';
import { planted } from './planted.ts';
import { scanned } from './world.ts';

/** Passwords as Rekey makes them by default, with all of their punctuation. */
const passwords = Array.from({ length: 200 }, () =>
  generatePassword(passwordPolicy({}), { integer: (below: number) => randomInt(below) } as never),
);
const usual = passwords.filter((one) => !/\$\{|\{\{|\{%|<%|#\{|\$\(/.test(one));

describe('passwords with the punctuation that Rekey uses', () => {
  test('few of them look like what a template fills in', () => {
    expect(usual.length).toBeGreaterThan(180);
  });

  test.each<readonly [string, (password: string) => string]>([
    ['in quotes', (one) => `DB_PASSWORD="${one}"`],
    ['in JSON', (one) => JSON.stringify({ password: one })],
    ['in a file of variables', (one) => `A=1\nDB_PASSWORD=${one}\nB=2\n`],
  ])('are asked about %s', (_where, write) => {
    const missed = usual.filter((one) => !assignedIn(write(one)).some(({ value }) => value === one));
    expect(missed).toEqual([]);
  });

  test('are found in the value of a secret', async () => {
    const secret = (password: string) => JSON.stringify({ engine: 'postgres', username: 'app', password });
    const { rules } = await scanned(
      zipOf(Object.fromEntries(usual.map((one, index) => [`${index}.json`, secret(one)]))),
    );
    expect(rules.filter((rule) => rule === 'SecretValue')).toHaveLength(usual.length);
  });

  test.each([
    'token:function(e1,t2,n3){return',
    'auth=await(getToken1(config2))',
    'password: getPassword1($x)',
  ])('and code is not taken for one: %s', (code) => expect(assignedIn(`var a;${code}`)).toEqual([]));

  test.each([
    ['$', '{DB_PASSWORD_1}'].join(''),
    '{{ .Values.password1 }}',
    '<the password 12>',
    '$DB_PASSWORD_123',
  ])('nor what somebody fills in: %s', (text) => expect(assignedIn(`password="${text}"`)).toEqual([]));
});

test('the name of an entry that cannot be read is shown without the secret in it', async () => {
  const github = planted.find(({ name }) => name === 'GitHub')?.value ?? '';
  const { notLookedInto } = await scanned(zipOf({ [`${github}.txt`]: 'x' }, { flags: 1 }));
  expect(notLookedInto).toHaveLength(1);
  expect(JSON.stringify(notLookedInto)).not.toContain(github);
});

test.each([1, 9])('what bzip2 -%i has packed is not passed over', async (level) => {
  const { reasons } = await scanned(Buffer.from(`BZh${level}1AY&SYabc`));
  expect(reasons).toEqual([expect.stringContaining('bzip2')]);
});
