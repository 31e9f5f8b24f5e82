import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateUserCommand,
  DescribeUsersCommand,
  ElastiCacheClient,
  ModifyUserCommand,
} from '@aws-sdk/client-elasticache';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { type PasswordReceiver, receivePasswords } from '../../local/servers/password-receiver.ts';
import { refusal } from './support/refusal.ts';
import { allow } from './support/stack.ts';

const [first, second, third] = ['The-first-password', 'The-second-password', 'The-third-password'];

// https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyUser.html
describe('users of ElastiCache', () => {
  let directory: string;
  let cloud: LocalCloud;
  let client: ElastiCacheClient;
  let receiver: PasswordReceiver;
  const heard: unknown[] = [];
  let made = 0;

  beforeAll(async () => {
    directory = await newFolder('caches');
    cloud = await startCloud({ directory });
    client = new ElastiCacheClient(cloud.clientOptions());
    receiver = await receivePasswords(async (login) => {
      heard.push(login);
    });
  });
  afterAll(async () => {
    await receiver?.close();
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function create(...Passwords: string[]): Promise<string> {
    made += 1;
    const UserId = `user-${made}`;
    const Tags = [...receiver.tags('cache.example', 6379), { Key: 'rekey:reset-seconds', Value: '0.4' }];
    const user = { UserId, UserName: `name-${made}`, Engine: 'redis', AccessString: 'on ~* +@all', Tags };
    await client.send(new CreateUserCommand({ ...user, Passwords }));
    return UserId;
  }
  const look = async (UserId: string) =>
    (await client.send(new DescribeUsersCommand({ UserId }))).Users?.[0] ?? {};
  const set = (UserId: string, ...Passwords: string[]) =>
    client.send(new ModifyUserCommand({ UserId, AuthenticationMode: { Type: 'password', Passwords } }));
  async function active(UserId: string): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      if ((await look(UserId)).Status === 'active') return;
      await sleep(20);
    }
    throw new Error(`${UserId} did not become active`);
  }

  test('get the passwords of a request in place of those they had, after the answer, and are "modifying" until then', async () => {
    const UserId = await create(first);
    expect(await look(UserId)).toMatchObject({
      Status: 'active',
      Authentication: { Type: 'password', PasswordCount: 1 },
      ARN: `arn:aws:elasticache:${cloud.region}:${cloud.accountId}:user:${UserId}`,
    });
    expect(await set(UserId, second, first)).toMatchObject({ Status: 'modifying', UserId });
    expect(heard).toEqual([]);
    expect(await refusal(set(UserId, third))).toMatch(/^InvalidUserState/);
    await active(UserId);
    expect(heard).toEqual([{ username: 'name-1', passwords: [second, first] }]);
    expect((await look(UserId)).Authentication).toMatchObject({ PasswordCount: 2 });
    await client.send(new ModifyUserCommand({ UserId, Passwords: [third] }));
    await active(UserId);
    expect(heard.at(-1)).toEqual({ username: 'name-1', passwords: [third] });
    expect((await look(UserId)).Authentication).toMatchObject({ PasswordCount: 1 });
  });

  // https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
  test('have at most two, of 16 to 128 characters without , " / and @', async () => {
    const UserId = await create(first);
    for (const wrong of [
      [first, second, third],
      ['too-short-for-it'.slice(1)],
      ['x'.repeat(129)],
      ...[',', '"', '/', '@', 'ü'].map((character) => [`long-enough-with-${character}`]),
    ]) {
      expect([wrong, await refusal(set(UserId, ...wrong))]).toEqual([
        wrong,
        expect.stringMatching(/^InvalidParameterValue/),
      ]);
    }
    await set(UserId, 'x'.repeat(128));
  });

  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticache.html
  test('may be seen and changed only by who is permitted to, one by one', async () => {
    const [mine, other] = [await create(first), await create(first)];
    const user = `arn:aws:elasticache:${cloud.region}:${cloud.accountId}:user:${mine}`;
    const actions = ['elasticache:DescribeUsers', 'elasticache:ModifyUser'];
    const principal = await createUser(cloud, 'modifier', [allow(actions, user)]);
    const own = new ElastiCacheClient(cloud.clientOptions(principal.credentials));
    await own.send(new DescribeUsersCommand({ UserId: mine }));
    await own.send(new ModifyUserCommand({ UserId: mine, Passwords: [second] }));
    for (const denied of [
      own.send(new DescribeUsersCommand({ UserId: other })),
      own.send(new ModifyUserCommand({ UserId: other, Passwords: [second] })),
    ]) {
      expect(await refusal(denied)).toMatch(/^AccessDenied/);
    }
  });

  test('have no password in the log of the local cloud', async () => {
    const log = await readFile(cloud.logFile, 'utf8');
    expect(log).not.toBe('');
    expect([first, second, third].filter((password) => log.includes(password))).toEqual([]);
  });
});
