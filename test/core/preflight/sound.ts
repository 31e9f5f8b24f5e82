import { account, allow, arnOf, FakeAccount, policy, region, roleArn } from './account.ts';

export const name = '/prod/orders/db';
export const arn = arnOf(name);
export const reader = { readBy: { name: 'orders', roleArn: roleArn('orders') } };
export const readSecret = policy(allow('secretsmanager:GetSecretValue', `${arn.slice(0, -6)}*`));

/** An account in which the reference to the secret holds in every way. */
export function sound(more: Parameters<FakeAccount['add']>[1] = {}): FakeAccount {
  const cloud = new FakeAccount();
  cloud.add(name, more);
  cloud.role('orders', [readSecret]);
  return cloud;
}

/** A secret under a key of its own. */
export function encrypted(
  keyPolicy: ReturnType<typeof policy>,
  more: object = {},
  secret: object = {},
): FakeAccount {
  const cloud = sound({ keyId: 'alias/orders', ...secret });
  const key = `arn:aws:kms:${region}:${account}:key/one`;
  cloud.keys.push({
    arn: key,
    ids: ['alias/orders'],
    state: 'Enabled',
    managedByAws: false,
    policy: keyPolicy,
    grants: [],
    ...more,
  });
  return cloud;
}
export const root = { Principal: { AWS: `arn:aws:iam::${account}:root` } };
export const theRole = { Principal: { AWS: roleArn('orders') } };
