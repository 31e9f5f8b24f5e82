import { describe, expect, test } from '@jest/globals';
import { allow, arnOf, deny, FakeAccount, policy, reference, region, roleArn } from './account.ts';
import { found } from './proving.ts';
import { arn, encrypted, name, reader, readSecret, root, sound, theRole } from './sound.ts';

/** Who may read a secret, and by what it is refused. */

describe('KeyUnusable', () => {
  test.each([
    ['Enabled', []],
    ['Disabled', ['KeyUnusable']],
    ['PendingDeletion', ['KeyUnusable']],
  ])('%s', async (state, checks) => {
    const cloud = encrypted(policy(allow('kms:*', '*', theRole)), { state });
    expect((await found(cloud, reference(name, reader))).checks).toEqual(checks);
  });

  test('a key that is gone', async () => {
    const cloud = sound({ keyId: 'gone' });
    expect((await found(cloud, reference(name))).messages[0]).toMatch(/the KMS key gone .* does not exist/);
  });
});

describe('ReaderDenied', () => {
  const message = async (cloud: FakeAccount, more: object = reader) => {
    const { checks, messages } = await found(cloud, reference(name, more));
    return checks.includes('ReaderDenied') ? messages[0] : undefined;
  };

  test('a role that does not exist', async () => {
    expect(await message(new FakeAccount())).toBeUndefined();
    const cloud = new FakeAccount();
    cloud.add(name);
    expect(await message(cloud)).toMatch(/which is to read \/prod\/orders\/db, does not exist/);
  });

  test('its own policies', async () => {
    const cloud = new FakeAccount();
    cloud.add(name);
    cloud.role('orders', [policy(allow('secretsmanager:GetSecretValue', arnOf('/prod/stock')))]);
    const { messages, fixes } = await found(cloud, reference(name, reader));
    expect(messages[0]).toMatch(
      /not allowed secretsmanager:GetSecretValue on \/prod\/orders\/db: the policies of the role do not allow it/,
    );
    expect(fixes[0]).toContain(`"Resource":"${arn}"`);
  });

  test('its boundary', async () => {
    const cloud = new FakeAccount();
    cloud.add(name);
    cloud.role('orders', [readSecret], { boundary: policy(allow('s3:*')) });
    expect(await message(cloud)).toMatch(/the permissions boundary of the role does not allow it/);
  });

  test('the policy of the secret', async () => {
    const resourcePolicy = policy(deny('secretsmanager:*', '*', { Principal: '*', Sid: 'NoOrders' }));
    expect(await message(sound({ resourcePolicy }))).toMatch(
      /statement NoOrders in the resource policy of the secret denies it/,
    );
  });

  test('the policy of the key, or the role’s own for it', async () => {
    expect(await message(encrypted(policy(allow('kms:*', '*', root))))).toMatch(
      /not allowed kms:Decrypt on the KMS key of \/prod\/orders\/db: the policies of the role do not allow it/,
    );
    expect(
      await message(encrypted(policy(allow('kms:*', '*', { Principal: { AWS: roleArn('other') } })))),
    ).toMatch(/the policy of the key does not allow it/);
    expect(await message(encrypted(policy(allow('kms:Decrypt', '*', theRole))))).toBeUndefined();
    const granted = { grantee: roleArn('orders'), operations: ['Decrypt'], context: { SecretARN: arn } };
    expect(await message(encrypted(policy(), { grants: [granted] }))).toBeUndefined();
    const toOther = { ...granted, grantee: roleArn('other') };
    expect(await message(encrypted(policy(), { grants: [toOther] }))).toMatch(/kms:Decrypt/);
    const ofOther = { ...granted, context: { SecretARN: arnOf('/prod/stock') } };
    expect(await message(encrypted(policy(), { grants: [ofOther] }))).toMatch(/kms:Decrypt/);
  });

  test('a key policy that lets in by way of Secrets Manager alone', async () => {
    const via = (service: string) => ({
      ...theRole,
      Condition: { StringEquals: { 'kms:ViaService': `${service}.${region}.amazonaws.com` } },
    });
    expect(
      await message(encrypted(policy(allow('kms:Decrypt', '*', via('secretsmanager'))))),
    ).toBeUndefined();
    expect(await message(encrypted(policy(allow('kms:Decrypt', '*', via('s3')))))).toMatch(/kms:Decrypt/);
  });

  test('tags of the role and of the secret', async () => {
    const sameTeam = policy(
      allow('secretsmanager:GetSecretValue', '*', {
        Condition: { StringEquals: { 'secretsmanager:ResourceTag/team': `\${aws:PrincipalTag/team}` } },
      }),
    );
    const of = (secret: string, role: string) => {
      const cloud = new FakeAccount();
      cloud.add(name, { tags: { team: secret } });
      cloud.role('orders', [sameTeam], { tags: { team: role } });
      return cloud;
    };
    expect(await message(of('orders', 'orders'))).toBeUndefined();
    expect(await message(of('orders', 'stock'))).toMatch(/do not allow it/);
  });

  test('a role of another account, as far as this side decides', async () => {
    const foreign = { readBy: { name: 'other', roleArn: roleArn('orders', '999900001111') } };
    const refused = await found(sound(), reference(name, foreign));
    expect(refused.messages[0]).toMatch(
      /resource policy of the secret does not allow it, which the other account/,
    );
    const other = { Principal: { AWS: '999900001111' } };
    const resourcePolicy = policy(allow('secretsmanager:GetSecretValue', '*', other));
    const underOwnKey = await found(sound({ resourcePolicy }), reference(name, foreign));
    expect(underOwnKey.messages[0]).toMatch(/not allowed kms:Decrypt/);
    const cloud = encrypted(policy(allow('kms:Decrypt', '*', other)), {}, { resourcePolicy });
    const open = await found(cloud, reference(name, foreign));
    expect(open).toMatchObject({ state: 'not proven', checks: ['NotProven'] });
    expect(open.messages[0]).toMatch(/role of another account/);
  });

  test('the reader that is given counts where a manifest names none', async () => {
    const given = { reader: roleArn('nobody') };
    expect((await found(sound(), reference(name), given)).checks).toEqual(['ReaderDenied']);
    expect((await found(sound(), reference(name, reader), given)).checks).toEqual([]);
    expect(
      (await found(sound(), reference(name, { readBy: { name: 'o', roleName: 'orders' } }))).checks,
    ).toEqual([]);
  });
});

test('ReaderUnknown is for information, and the rest is proven', async () => {
  const { all, state } = await found(sound(), reference(name));
  expect(all).toMatchObject([{ check: 'ReaderUnknown', severity: 'info' }]);
  expect(state).toBe('proven');
});

describe('ReadableByTooMany', () => {
  test('counts roles and users that may read for sure', async () => {
    const cloud = sound();
    for (const one of ['a', 'b']) cloud.role(one, [policy(allow('*'))]);
    cloud.role('bounded', [policy(allow('*'))], { boundary: policy(allow('s3:*')) });
    cloud.role('from-vpc', [
      policy(allow('*', '*', { Condition: { StringEquals: { 'aws:SourceVpc': 'vpc-1' } } })),
    ]);
    const { checks, messages } = await found(cloud, reference(name, reader), { maximumReaders: 2 });
    expect(checks).toEqual(['ReadableByTooMany']);
    expect(messages[0]).toBe(
      '3 roles and users may read /prod/orders/db, and 2 are the limit: role/orders, role/a, role/b',
    );
    expect((await found(cloud, reference(name, reader), { maximumReaders: 3 })).checks).toEqual([]);
  });

  test('a policy that lets everybody in', async () => {
    const open = sound({
      resourcePolicy: policy(allow('secretsmanager:GetSecretValue', '*', { Principal: '*' })),
    });
    expect((await found(open, reference(name, reader))).messages[0]).toMatch(/lets everybody read it/);
    const org = { Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } } };
    const within = sound({ resourcePolicy: policy(allow('secretsmanager:GetSecretValue', '*', org)) });
    expect((await found(within, reference(name, reader))).checks).toEqual([]);
  });
});
