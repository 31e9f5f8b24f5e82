import { describe, expect, test } from '@jest/globals';
import { check } from '../../../rotators/iam-access-key/check.ts';
import { callError } from '../../../rotators/iam-access-key/errors.ts';
import { covers } from '../../../rotators/iam-access-key/marks.ts';
import { provesDead } from '../../../rotators/iam-access-key/probe.ts';
import { createIamAccessKey, rotator as iamAccessKey } from '../../../rotators/iam-access-key/rotator.ts';
import { iamAccessKeySchema } from '../../../rotators/iam-access-key/schema.ts';

const current = {
  username: 'orders',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const next = { ...current, accessKeyId: 'AKIAI44QH8DHBEXAMPLE' };

describe('the JSON', () => {
  test('may hold no key yet, keeps what it does not know, and never half a key', () => {
    const created = { username: 'orders', password: 'generated', region: 'eu-central-1' };
    expect(iamAccessKeySchema.parse(created)).toEqual(created);
    expect(iamAccessKeySchema.parse({ ...current, team: 'x' })).toEqual({ ...current, team: 'x' });
    for (const wrong of [
      { ...current, secretAccessKey: undefined },
      { ...created, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
      { ...current, accessKeyId: '' },
      { ...current, username: 'path/orders' },
      { ...current, username: 'x'.repeat(65) },
    ]) {
      expect(iamAccessKeySchema.safeParse(wrong).success).toBe(false);
    }
  });

  test('is known at the target by the id of the key, before there is one by the name', () => {
    expect(iamAccessKey.identity(current)).toBe('AKIAIOSFODNN7EXAMPLE');
    expect(iamAccessKey.identity({ username: 'orders' })).toBe('orders');
  });
});

describe('a pending key', () => {
  test('of the same user with another id is let through, also after a version without a key', () => {
    expect(() => check(next, current)).not.toThrow();
    expect(() => check(next, { username: 'orders' })).not.toThrow();
  });

  test.each([
    ['none', { username: 'orders' }],
    ['the current one', current],
    ['temporary credentials', { ...next, accessKeyId: 'ASIAI44QH8DHBEXAMPLE' }],
    ['another kind of id', { ...next, accessKeyId: 'AIDAI44QH8DHBEXAMPLE' }],
    ['a secret part that is none', { ...next, secretAccessKey: 'too short' }],
    [
      'a secret part with white space',
      { ...next, secretAccessKey: `${next.secretAccessKey.slice(0, 39)}\n` },
    ],
  ])('is refused: %s', (_name, pending) => {
    const attempt = () => check(pending, current);
    expect(attempt).toThrow(expect.objectContaining({ code: 'PendingValueRefused' }));
    expect(attempt).toThrow(/remove the AWSPENDING label/);
    const { secretAccessKey } = { secretAccessKey: undefined, ...pending };
    if (secretAccessKey !== undefined) expect(attempt).not.toThrow(secretAccessKey);
  });
});

describe('what an answer of STS proves', () => {
  test.each([
    ['InvalidClientTokenId', 'The security token included in the request is invalid.', true],
    [
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
      true,
    ],
    [
      'SignatureDoesNotMatch',
      'Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z',
      false,
    ],
    ['SignatureDoesNotMatch', 'Signature not yet current: 20260101T001000Z is still later than …', false],
    ['AccessDenied', 'with an explicit deny in a VPC endpoint policy', false],
    ['ExpiredToken', 'The security token included in the request is expired', false],
    ['Throttling', 'Rate exceeded', false],
    ['RegionDisabledException', '', false],
  ])('%s: %s', (name, message, dead) => {
    expect(provesDead({ name, message })).toBe(dead);
  });

  test('a version without a key is refused without asking anybody', async () => {
    const nowhere = createIamAccessKey({ aws: { endpoint: 'https://127.0.0.1:1', region: 'us-east-1' } });
    const context = { connectTimeoutMs: 100, statementTimeoutMs: 100, finding: () => {} };
    expect(await nowhere.probe({ username: 'orders' }, context)).toMatchObject({
      outcome: 'rejected',
      error: { code: 'AuthenticationRefused', message: expect.stringContaining('next rotation') },
    });
  });
});

describe('errors', () => {
  const purpose = { where: 'IAM user "orders"', doing: 'list its access keys', action: 'iam:ListAccessKeys' };
  const answer = (name: string, httpStatusCode: number) =>
    Object.assign(new Error('User: arn is not authorized, quoting a value'), {
      name,
      $metadata: { httpStatusCode },
    });
  test.each([
    [answer('AccessDenied', 403), 'PermissionMissing', 'iam:ListAccessKeys'],
    [answer('AccessDeniedException', 403), 'PermissionMissing', 'orders'],
    [answer('Throttling', 400), 'TargetBusy', 'try later'],
    [answer('ServiceFailure', 500), 'TargetUnreachable', 'try later'],
    [answer('NoSuchEntityException', 404), 'TargetRefused', 'NoSuchEntityException'],
    [Object.assign(new Error('x'), { name: 'CredentialsProviderError' }), 'TargetRefused', 'no credentials'],
    [Object.assign(new Error('x'), { name: 'AbortError' }), 'TargetUnreachable', 'NAT gateway'],
    [{ code: 'ECONNREFUSED' }, 'TargetUnreachable', 'ECONNREFUSED'],
    [{ code: 'CERT_HAS_EXPIRED' }, 'TlsRefused', 'CERT_HAS_EXPIRED'],
    [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'TlsRefused', 'certificate'],
  ])('%s becomes %s and says what helps', (error, code, text) => {
    const made = callError(error, purpose);
    expect(made.code).toBe(code);
    expect(made.message).toContain(text);
    expect(made.message).not.toContain('quoting a value');
  });
});

test('a mark covers what was created with it, as far as two clocks agree, and nothing later', () => {
  const mark = { tag: 't', owner: 'o', began: new Date('2026-01-01T00:00:10.400Z') };
  const at = (created: string) => covers(mark, { created: new Date(created) });
  expect(['2026-01-01T00:00:06Z', '2026-01-01T00:00:10Z', '2026-01-01T00:00:35Z'].map(at)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['2026-01-01T00:00:05Z', '2026-01-01T00:00:36Z', '2026-01-02T00:00:10Z'].map(at)).toEqual([
    false,
    false,
    false,
  ]);
});
