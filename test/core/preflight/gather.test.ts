import { describe, expect, test } from '@jest/globals';
import { allow, arnOf, FakeAccount, policy, reference, roleArn } from './account.ts';
import { proving } from './proving.ts';

/** What a preflight asks, counted: calls grow with the secrets and not with the references. */

function accountOf(secrets: number, roles: number): FakeAccount {
  const cloud = new FakeAccount();
  for (let index = 0; index < secrets; index += 1) cloud.add(`/prod/secret-${index}`, { keyId: 'one' });
  for (let index = 0; index < roles; index += 1) cloud.role(`role-${index}`, [policy(allow('*'))]);
  cloud.keys.push({
    arn: 'arn:aws:kms:eu-central-1:111122223333:key/one',
    ids: ['one'],
    state: 'Enabled',
    managedByAws: false,
    policy: policy(allow('kms:*', '*', { Principal: { AWS: 'arn:aws:iam::111122223333:root' } })),
    grants: [],
  });
  return cloud;
}

const references = (count: number, secrets: number, roles: number) =>
  Array.from({ length: count }, (_, index) =>
    reference(`/prod/secret-${index % secrets}`, {
      key: ['username', 'password'][index % 2] ?? '',
      readBy: { name: 'reader', roleArn: roleArn(`role-${index % roles}`) },
    }),
  );

describe('calls', () => {
  test.each([
    [50, 50],
    [500, 50],
  ])('%d references to 50 secrets of 10 roles', async (count, secrets) => {
    const cloud = accountOf(secrets, 10);
    const report = await proving(cloud, references(count, secrets, 10));
    expect(report.references.every(({ state }) => state === 'proven')).toBe(true);
    expect(cloud.calls).toEqual({
      'secretsmanager:DescribeSecret': 50,
      'secretsmanager:GetResourcePolicy': 50,
      'ssm:GetParameter': 50,
      // Twenty values with each call.
      'secretsmanager:BatchGetSecretValue': 3,
      'kms:GetKeyPolicy': 1,
      'iam:GetRole': 10,
      'iam:GetAccountAuthorizationDetails': 1,
    });
  });

  test('a name in another account is never looked up in this one', async () => {
    const cloud = accountOf(1, 1);
    const foreign = { ...reference('/prod/secret-0'), account: '999988887777' };
    const report = await proving(cloud, [foreign, reference('/prod/secret-0')]);
    expect(report.references.map(({ state }) => state)).toEqual(['not proven', 'proven']);
    expect(cloud.calls['secretsmanager:DescribeSecret']).toBe(1);
  });

  test('names are listed once a region, however many secrets are missing', async () => {
    const cloud = accountOf(1, 1);
    await proving(
      cloud,
      ['/prod/a', '/prod/b', '/prod/c'].map((name) => reference(name)),
    );
    expect(cloud.calls['secretsmanager:ListSecrets']).toBe(1);
  });

  test('a name and an ARN of one secret share all but its description', async () => {
    const cloud = accountOf(1, 1);
    await proving(cloud, [reference('/prod/secret-0'), reference(arnOf('/prod/secret-0'))]);
    expect(cloud.calls).toMatchObject({
      'secretsmanager:DescribeSecret': 2,
      'secretsmanager:GetResourcePolicy': 1,
      'ssm:GetParameter': 1,
    });
  });
});

test.each([1, 3, 8])('no more than %d calls run at once', async (concurrency) => {
  const cloud = accountOf(40, 10);
  await proving(cloud, references(80, 40, 10), { concurrency });
  expect(cloud.mostRunning).toBe(concurrency);
});

test('one value that may not be read leaves the others as they are', async () => {
  const cloud = accountOf(3, 1);
  cloud.denied.add(`secretsmanager:GetSecretValue ${arnOf('/prod/secret-1')}`);
  const report = await proving(cloud, references(3, 3, 1));
  expect(report.references.map(({ state }) => state)).toEqual(['proven', 'not proven', 'proven']);
});
