import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../../adapters/system.ts';
import { generatePassword, type PasswordPolicy, passwordPolicy } from '../../../core/secret/password.ts';
import { characterFault, narrow } from '../../../rotators/families/aws-api/passwords.ts';
import { check } from '../../../rotators/rds-admin/check.ts';
import { rulesOf } from '../../../rotators/rds-admin/limits.ts';
import { rotator as rdsAdmin } from '../../../rotators/rds-admin/rotator.ts';
import { type MasterSecret, masterSecretSchema, portOf } from '../../../rotators/rds-admin/schema.ts';
import { registry } from '../../../rotators/registry.ts';

const secret = (engine: string, more: object = {}): MasterSecret => ({
  engine,
  host: 'db.example',
  username: 'master',
  password: 'The-first-0ne',
  ...more,
});
const instance = { dbInstanceIdentifier: 'orders' };
const cluster = { dbClusterIdentifier: 'orders' };

/** Longest password and refused characters, as the API references have them. */
const documented: readonly [MasterSecret, number, string][] = [
  [secret('postgres', instance), 128, '/"@ '],
  [secret('postgres', cluster), 41, '/"@ '],
  [secret('postgres'), 41, '/"@ '],
  [secret('aurora-postgresql', instance), 41, '/"@ '],
  [secret('mysql', instance), 41, '/"@ '],
  [secret('aurora-mysql', cluster), 41, '/"@ '],
  [secret('mariadb'), 41, '/"@ '],
  [secret('oracle-se2', instance), 30, `/"@ &'`],
  [secret('sqlserver-ex', instance), 128, '/"@ '],
  [secret('db2-se', instance), 255, '/"@ '],
  [secret('mongo', cluster), 100, '/"@ '],
  [secret('docdb'), 100, '/"@ '],
  [secret('redshift', cluster), 64, `/"@ '\\`],
];

const errorOf = (work: () => unknown): { code?: string; message?: string } => {
  try {
    work();
  } catch (error) {
    return error as { code?: string; message?: string };
  }
  return {};
};

describe('passwords', () => {
  test.each(documented)('of %j are held to the documented limits', (of, longest, forbidden) => {
    const refusal = (password: string) => errorOf(() => check({ ...of, password }, of)).code;
    const good = 'Aa1'.padEnd(longest, 'x');
    expect(refusal(good)).toBeUndefined();
    expect(refusal(`${good}x`)).toBe('PendingValueRefused');
    for (const character of [...forbidden, 'ü', '\n', '\x7f']) {
      expect([character, refusal(`Aa1-with-${character}`)]).toEqual([character, 'PendingValueRefused']);
    }
  });

  test('of Redshift need an uppercase letter, a lowercase letter and a digit', () => {
    const rules = rulesOf(secret('redshift'));
    expect(characterFault('ALLUPPER1', rules)).toContain('a lowercase letter');
    expect(characterFault('alllower1', rules)).toContain('an uppercase letter');
    expect(characterFault('NoDigitHere', rules)).toContain('a digit');
    expect(characterFault('AllThree3', rules)).toBeUndefined();
  });

  const booleans = fc.constantFrom('true', 'false');
  const environments = fc.record({
    PASSWORD_LENGTH: fc.integer({ min: 8, max: 4096 }).map(String),
    EXCLUDE_CHARACTERS: fc.string({ unit: 'grapheme-ascii', maxLength: 100 }),
    EXCLUDE_NUMBERS: booleans,
    EXCLUDE_PUNCTUATION: booleans,
    EXCLUDE_UPPERCASE: booleans,
    EXCLUDE_LOWERCASE: booleans,
    REQUIRE_EACH_INCLUDED_TYPE: booleans,
  });

  test('that are generated are always taken by the service, or the rules are refused with what to change', () => {
    let generated = 0;
    fc.assert(
      fc.property(environments, fc.constantFrom(...documented), (environment, [of, longest]) => {
        let policy: PasswordPolicy;
        try {
          policy = passwordPolicy(environment);
        } catch {
          // Everything is excluded, which is refused for every type.
          return;
        }
        let narrowed: PasswordPolicy;
        try {
          narrowed = narrow(policy, rulesOf(of));
        } catch (error) {
          expect(error).toMatchObject({ code: 'PasswordPolicyInvalid' });
          return;
        }
        const password = generatePassword(narrowed, systemRandom);
        expect(() => check({ ...of, password }, of)).not.toThrow();
        expect(password.length).toBe(Math.min(policy.length, longest));
        expect([...password].every((one) => policy.alphabets.join('').includes(one))).toBe(true);
        generated += 1;
      }),
      { numRuns: 500 },
    );
    expect(generated).toBeGreaterThan(100);
  });

  test('that are proposed keep to them, whatever the rules of the configuration', async () => {
    const passwords = passwordPolicy({ PASSWORD_LENGTH: '300', EXCLUDE_CHARACTERS: '' });
    for (const [of] of documented) {
      const context = { passwords, random: systemRandom } as Parameters<typeof rdsAdmin.propose>[1];
      const next = await rdsAdmin.propose(of, context);
      expect(() => check(next, of)).not.toThrow();
      expect({ ...next, password: of.password }).toEqual(of);
    }
  });

  test('cannot be generated for Redshift without digits, and the error says what to change', () => {
    const policy = passwordPolicy({ EXCLUDE_NUMBERS: 'true' });
    expect(errorOf(() => narrow(policy, rulesOf(secret('redshift'))))).toMatchObject({
      code: 'PasswordPolicyInvalid',
      message: expect.stringMatching(/Redshift wants at least a digit.*change PASSWORD_LENGTH/),
    });
  });
});

describe('a pending version', () => {
  test.each([
    { username: 'other' },
    { host: 'other.example' },
    { port: 1 },
    { dbname: 'other' },
    { engine: 'mysql' },
    { dbInstanceIdentifier: 'other' },
    { dbClusterIdentifier: 'other' },
  ])('of another database is refused: %j', (change) => {
    const current = secret('postgres', instance);
    const next = { ...current, password: 'The-sec0nd-one', ...change };
    expect(errorOf(() => check(next, current)).code).toBe('IdentityMismatch');
  });
});

describe('a secret', () => {
  test('keeps the keys that it does not know, and the form of those that it does', () => {
    const json = secret('sqlserver', { port: '1434', dbClusterIdentifier: '', team: { a: [1] } });
    expect(masterSecretSchema.parse(json)).toEqual(json);
    expect([portOf(json), portOf(secret('redshift')), portOf(secret('mongo'))]).toEqual([1434, 5439, 27017]);
  });

  test.each([
    { engine: 'neptune' },
    { engine: 'constructor' },
    { engine: 'custom-oracle-ee' },
    { host: '/run/db.sock' },
    { username: '' },
    { dbInstanceIdentifier: 'with space' },
    { dbClusterIdentifier: '1' },
  ])('is refused with %j', (change) => {
    expect(masterSecretSchema.safeParse(secret('postgres', change)).success).toBe(false);
  });
});

test('resources are ARNs of DB instances, DB clusters and Redshift clusters', () => {
  const { pattern, example } = registry['rds-admin'].aws.resources;
  const rds = (rest: string) => `arn:aws:rds:eu-central-1:111122223333:${rest}`;
  for (const arn of [example, rds('db:orders'), 'arn:aws-cn:redshift:cn-north-1:111122223333:cluster:a-1']) {
    expect([arn, pattern.test(arn)]).toEqual([arn, true]);
  }
  for (const arn of [rds('db:*'), rds('snapshot:a'), rds('db:a,b'), `${rds('db:a')}:x`, 'db:orders']) {
    expect([arn, pattern.test(arn)]).toEqual([arn, false]);
  }
});
