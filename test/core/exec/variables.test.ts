import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextRestart, untilNextLook, windowMs } from '../../../core/exec/pace.ts';
import { readReference } from '../../../core/exec/reference.ts';
import { nameVariables, withoutAwsCredentials, writeVariables } from '../../../core/exec/variables.ts';
import { ChangeSense } from '../../../core/exec/versions.ts';

describe('references', () => {
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:a=b@c-AbCdEf';
  test.each([
    ['/prod/db', { id: '/prod/db', stage: 'AWSCURRENT' }],
    ['/prod/db#password', { id: '/prod/db', key: 'password', stage: 'AWSCURRENT' }],
    ['/prod/db@AWSPREVIOUS', { id: '/prod/db', stage: 'AWSPREVIOUS' }],
    ['PW=/prod/db#p=a#s@AWSPREVIOUS', { id: '/prod/db', key: 'p=a#s', stage: 'AWSPREVIOUS', name: 'PW' }],
    ['DB_*=/prod/db', { id: '/prod/db', stage: 'AWSCURRENT', prefix: 'DB_' }],
    ['a@b@AWSCURRENT', { id: 'a@b', stage: 'AWSCURRENT' }],
    [`${arn}@AWSCURRENT`, { id: arn, stage: 'AWSCURRENT' }],
    ['X=a=b', { id: 'a=b', stage: 'AWSCURRENT', name: 'X' }],
  ])('%s', (written, expected) => {
    expect(readReference(written)).toEqual({ ...expected, written });
  });

  test.each(['', '#key', 'X=', 'a#', 'a@', 'P_*=a#key', 'a@b c'])('%j is none', (written) => {
    expect(() => readReference(written)).toThrow(expect.objectContaining({ code: 'SecretReferenceInvalid' }));
  });

  test('a prefix of its own goes before the one for all', () => {
    expect(readReference('A_*=a', 'B_').prefix).toBe('A_');
    expect(readReference('a', 'B_').prefix).toBe('B_');
  });
});

const read = (written: string, value: string, prefix?: string) => ({
  reference: readReference(written, prefix),
  value,
});

describe('variables', () => {
  test('numbers keep all of their digits, strings without quotes, the rest as JSON', () => {
    const value =
      '{"id": 9007199254740993, "ratio": 1.50, "db-name": "a\\nb", "list": [1,2], "off": false, "none": null}';
    expect(Object.fromEntries(nameVariables([read('a', value)], 'environment'))).toEqual({
      ID: '9007199254740993',
      RATIO: '1.5',
      DB_NAME: 'a\nb',
      LIST: '[1,2]',
      OFF: 'false',
    });
  });

  test('keys that become one name are named, and so are secrets', () => {
    expect(() => nameVariables([read('a', '{"x-y": "1", "x_y": "2"}')], 'environment')).toThrow(
      'X_Y would come from a and from a',
    );
    expect(() => nameVariables([read('A=b', '1'), read('c#a', '{"a": "2"}')], 'descriptor')).toThrow(
      'A would come from A=b and from c#a',
    );
  });

  test.each([
    'path',
    'ld_preload',
    'LD-LIBRARY-PATH',
    'node.options',
    'bash_env',
    'pythonpath',
    'git_ssh_command',
    'dyld_insert_libraries',
  ])('a key %s decides what code runs, unless it is meant', (key) => {
    const value = JSON.stringify({ [key]: 'x' });
    const refused = expect.objectContaining({ code: 'VariableNameRefused' });
    expect(() => nameVariables([read('a', value)], 'environment')).toThrow(refused);
    expect(() => nameVariables([read(`a#${key}`, value)], 'environment')).toThrow(refused);
    expect(nameVariables([read('a', value, 'APP_')], 'environment').size).toBe(1);
    expect(nameVariables([read(`PATH=a#${key}`, value)], 'environment').get('PATH')).toBe('x');
    expect(nameVariables([read('a', value)], 'descriptor').size).toBe(1);
  });

  test('no error holds a value', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.json(), fc.string()),
        fc.constantFrom('a', 'a#k', 'N=a#k', 'N=a'),
        (value, written) => {
          const secret = `s3ntinel${value}`;
          for (const text of [
            secret,
            JSON.stringify({ ok: secret, é: secret }),
            JSON.stringify([secret]),
            `{"k": ${JSON.stringify(`\0${secret}`)}}`,
          ]) {
            try {
              nameVariables([read(written, text)], 'environment');
            } catch (error) {
              expect(`${error} ${(error as Error).cause}`).not.toContain('s3ntinel');
            }
          }
        },
      ),
    );
  });

  test('dotenv is read by shells and dotenv packages alike, or refused', () => {
    const write = (value: string) => writeVariables(new Map([['A', value]]), 'dotenv');
    expect(write('a"b$c`d\\\ne')).toBe("A='a\"b$c`d\\\ne'\n");
    expect(write("it's")).toBe('A="it\'s"\n');
    for (const other of ['"', '\\', '$', '`']) {
      expect(() => write(`'${other}`)).toThrow(expect.objectContaining({ code: 'VariableValueRefused' }));
    }
  });

  test('a JSON line is one line', () => {
    expect(writeVariables(new Map([['A', 'a\nb\u2028']]), 'json').trimEnd()).not.toContain('\n');
  });

  test('credentials are withheld, the region stays', () => {
    const environment = {
      AWS_REGION: 'r',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 't',
      HOME: '/',
    };
    expect(Object.keys(withoutAwsCredentials(environment)).sort()).toEqual([
      'AWS_CONFIG_FILE',
      'AWS_EC2_METADATA_DISABLED',
      'AWS_REGION',
      'AWS_SHARED_CREDENTIALS_FILE',
      'HOME',
    ]);
  });
});

describe('pace', () => {
  test('the first restart comes at once, later ones after a pause that doubles, six never within ten minutes', () => {
    expect(nextRestart([], 5)).toBe(5);
    expect(nextRestart([0], 100)).toBe(1_000);
    expect(nextRestart([0, 1_000], 1_100)).toBe(3_000);
    expect(nextRestart([0, 1_000, 3_000, 7_000, 15_000], 16_000)).toBe(windowMs);
    expect(nextRestart([0], windowMs)).toBe(windowMs);
  });

  test('however a secret changes, there are five restarts in ten minutes at most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 120_000 }), { minLength: 20, maxLength: 60 }),
        (gaps) => {
          const restarts: number[] = [];
          let now = 0;
          for (const gap of gaps) {
            now = Math.max(now + gap, nextRestart(restarts, now + gap));
            restarts.push(now);
          }
          for (const at of restarts) {
            expect(
              restarts.filter((other) => other > at - windowMs && other <= at).length,
            ).toBeLessThanOrEqual(5);
          }
        },
      ),
    );
  });

  test('looks are spread by a tenth, and rarer while they fail', () => {
    expect([untilNextLook(1_000, 0, 0), untilNextLook(1_000, 0.5, 0), untilNextLook(1_000, 0.5, 9)]).toEqual([
      900, 1_000, 8_000,
    ]);
  });
});

test('a version that was held before counts at the second look', () => {
  const sense = new ChangeSense();
  sense.hold('a', '1');
  expect(sense.changed('a', '1', '2')).toBe(true);
  sense.hold('a', '2');
  expect(sense.changed('a', '2', '1')).toBe(false);
  expect(sense.changed('a', '2', '2')).toBe(false);
  expect(sense.changed('a', '2', '1')).toBe(false);
  expect(sense.changed('a', '2', '1')).toBe(true);
  expect(sense.changed('a', '2', undefined)).toBe(false);
});
