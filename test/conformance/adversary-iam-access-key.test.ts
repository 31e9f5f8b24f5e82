import { randomBytes } from 'node:crypto';
import {
  GetUserPolicyCommand,
  ListAccessKeysCommand,
  ListUserPoliciesCommand,
  ListUserTagsCommand,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { IamAccessKeySecret } from '../../rotators/iam-access-key/schema.ts';
import {
  assertGainsNothing,
  type Known,
  type Move,
  movesOf,
  type Plot,
  revocation,
  rotation,
  step,
  write,
} from './adversary/story.ts';
import { type IamUnderTest, start } from './drivers/iam-access-key.ts';
import { strangers } from './recorded.ts';

/**
 * The adversary of `adversary.test.ts`, and access keys of IAM users. No server is named in the secret; its user is. The roles of
 * the functions know that user alone: no key of another is made, deactivated or deleted, nor does its session end.
 */

const users = ['own', 'victim', 'his'] as const;
interface Fields {
  readonly username?: (typeof users)[number];
  /** Whose key: his own is the one that he has the secret part of. */
  readonly accessKeyId?: (typeof users)[number] | 'unknown' | 'none';
  readonly region?: 'own' | 'other';
  readonly password?: 'none' | 'a first value';
}

const moves = movesOf<Fields>(
  fc.record(
    {
      username: fc.constantFrom(...users),
      accessKeyId: fc.constantFrom(...users, 'unknown' as const, 'none' as const),
      region: fc.constantFrom('own' as const, 'other' as const),
      password: fc.constantFrom('none' as const, 'a first value' as const),
    },
    { requiredKeys: [] },
  ),
);

const found: readonly (readonly Move<Fields>[])[] = [
  // Another user of the account, for whom a key would be made, or whose own would be cut off.
  [write({ username: 'victim', accessKeyId: 'none' }), rotation],
  [write({ username: 'victim', accessKeyId: 'victim' }), rotation, revocation],
  // The key of another beside the secret's own user.
  [write({ accessKeyId: 'victim' }), rotation, revocation],
  [rotation, write({ accessKeyId: 'victim' }, 'AWSPREVIOUS'), rotation, revocation],
  [step, write({ username: 'his', accessKeyId: 'his' }, 'AWSPENDING'), rotation, revocation],
];

let target: IamUnderTest;
let his: IamAccessKeySecret;
beforeAll(async () => {
  target = await start();
  his = (await target.createAccount({ name: 'his' })).secret;
});
afterAll(() => target?.stop());

/** All that IAM has of a user: keys, policies with their text, tags. */
async function stateOf(UserName: string) {
  const [{ AccessKeyMetadata = [] }, { PolicyNames = [] }, { Tags = [] }] = await Promise.all([
    target.iam.send(new ListAccessKeysCommand({ UserName })),
    target.iam.send(new ListUserPoliciesCommand({ UserName })),
    target.iam.send(new ListUserTagsCommand({ UserName })),
  ]);
  const policies = await Promise.all(
    PolicyNames.map(async (PolicyName) => {
      const { PolicyDocument } = await target.iam.send(new GetUserPolicyCommand({ UserName, PolicyName }));
      return [PolicyName, PolicyDocument];
    }),
  );
  const keys = AccessKeyMetadata.map(({ AccessKeyId, Status }) => [AccessKeyId, Status]);
  return { keys, policies, tags: Tags };
}

async function plot(): Promise<Plot<Fields>> {
  const { secret } = await target.createAccount();
  const { secret: victim } = await target.createAccount({ name: 'victim' });
  const session = await target.openSession(victim);
  const before = { victim: await stateOf(victim.username), his: await stateOf(his.username) };
  await target.onlyFor(secret);
  target.calls.length = 0;
  const people = { own: secret, victim, his };
  const idOf = (whose: NonNullable<Fields['accessKeyId']>) =>
    whose === 'unknown'
      ? `AKIA${'UNKNOWN'.padEnd(16, 'X')}`
      : whose === 'none'
        ? undefined
        : people[whose].accessKeyId;
  const look = async ({ versions }: Known) => {
    const faults = strangers(target.calls, [secret.username]).map(
      (call) => `granted to the function: ${call}`,
    );
    for (const [whose, state] of Object.entries(before) as ['victim' | 'his', object][]) {
      try {
        expect(await stateOf(people[whose].username)).toEqual(state);
      } catch (error) {
        faults.push(`IAM has something else of the user ${whose}: ${String(error)}`);
      }
    }
    if (!(await target.logsIn(victim))) faults.push("the other user's key works no more");
    if (!(await session.alive())) faults.push("the other user's session was ended");
    const ids = before.victim.keys.map(([id]) => id);
    const held = versions.filter(({ secretAccessKey }) => secretAccessKey === victim.secretAccessKey);
    if (held.length > 0 || ids.length !== 1) faults.push('the secret holds a key of the other user');
    return faults;
  };
  return {
    rotator: target.rotatorWith({ patienceMs: 150 }) as never,
    context: target.context,
    first: { ...secret },
    look,
    // Its schema names no place, so no deployment can name the user.
    identity: { fields: { username: secret.username, host: '' } },
    guess: () => {
      const guess = randomBytes(30).toString('base64');
      return { guess, secretAccessKey: guess };
    },
    edit: ({ username, accessKeyId, region, password }) => ({
      ...(username && { username: people[username].username }),
      ...(accessKeyId && { accessKeyId: idOf(accessKeyId) }),
      ...(accessKeyId === 'none' && { secretAccessKey: undefined }),
      ...(accessKeyId === 'his' && { secretAccessKey: his.secretAccessKey }),
      ...(region && { region: region === 'own' ? secret.region : 'us-gov-west-1' }),
      ...(password === 'a first value' && { password: 'a first value of his' }),
    }),
    end: () => session.close(),
  };
}

test('gains nothing', async () => {
  const from = { moves, found, runs: 20, plot };
  await assertGainsNothing(from, { strategy: 'dual-credential', isNamed: false });
});
