import { describe, expect, test } from '@jest/globals';
import { usualDetection } from '../../../core/policy/demands.ts';
import { bitsPerCharacter, isSecretLike } from '../../../core/policy/detect.ts';

const isFound = (name: string, value: string) => isSecretLike({ name, value }, usualDetection);

describe('a text looks like the value of a secret', () => {
  test.each([
    'password',
    'DB_PASSWORD',
    'dbPasswd',
    'passphrase',
    'apiToken',
    'API_KEY',
    'accessKey',
    'client.secret',
    'ConnectionString',
    'signing-key',
    'aws_credentials',
  ])('by the name %s', (name) => expect(isFound(name, 'hunter22')).toBe(true));

  test.each(['AbCdEf12345678GhIjKl', 'q8Zr-2LxW0_vTn5KpYd7Hj', 'sk_live_51H8xY2KzLmN4pQr'])(
    'by the entropy of %s',
    (value) => expect(isFound('note', value)).toBe(true),
  );
});

describe('a text does not', () => {
  test.each([
    ['host', 'orders-db-1.cluster-c1a2b3d4e5f6.eu-central-1.rds.amazonaws.com'],
    ['monkey', 'hunter22'],
    ['tokenizer', 'hunter22'],
    ['password', 'changeme'],
    ['allowPassword', 'hunter22'],
    ['passwordLength', '32'],
    ['secretName', '/prod/orders/db'],
    ['keyArn', 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555'],
    ['password', '{{resolve:secretsmanager:orders:SecretString:password}}'],
    ['password', 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-AbCdEf'],
    ['password', `$\{DB_PASSWORD}`],
    ['password', ''],
    ['subnet', 'subnet-0d1e2f3a4b5c60718'],
    ['request', '0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b'],
    ['url', 'https://example.com/a/very/long/path/that/goes/on/1234567890'],
    ['words', 'the quick brown fox jumps over 13 lazy dogs'],
  ])('%s: %s', (name, value) => expect(isFound(name, value)).toBe(false));
});

test('a form that is known for certain counts under any name, and an own pattern under its names', () => {
  expect(isFound('note', 'postgres://orders:hunter22@db.example.com/orders')).toBe(true);
  const detection = { ...usualDetection, names: ['^pin$'] };
  expect(isSecretLike({ name: 'PIN', value: 'a1b2c3' }, detection)).toBe(true);
  expect(isFound('PIN', 'a1b2c3')).toBe(false);
});

test('entropy is that of the characters', () => {
  expect(bitsPerCharacter('aaaa')).toBe(0);
  expect(bitsPerCharacter('abcd')).toBe(2);
});
