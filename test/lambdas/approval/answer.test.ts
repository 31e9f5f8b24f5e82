import { describe, expect, test } from '@jest/globals';
import { answer, answerInputSchema } from '../../../lambdas/approval/answer.ts';
import { serve } from '../../../lambdas/approval/desk.ts';
import { wait } from '../../../lambdas/approval/wait.ts';
import { bindingFor, proofFor } from './proof.ts';
import { ApprovalWorld, account, arnOf, requestId } from './world.ts';

const limits = { minutes: 60, escalateAfterMinutes: 15, onExpiry: 'refuse' } as const;
const deed = { act: 'answer', requestId, outcome: 'granted', reason: undefined } as const;

async function waiting(): Promise<ApprovalWorld> {
  const world = new ApprovalWorld();
  await wait(world.round(), limits, world.dependencies());
  return world;
}

const approve = (world: ApprovalWorld, session = 'bob', proof = proofFor(new Date(world.now))) => {
  world.signer = { account, arn: arnOf(session) };
  return answer({ requestId, outcome: 'granted', proof }, world.dependencies());
};

describe('an answer', () => {
  test('of another person has the workflow go on, and says who it was', async () => {
    const world = await waiting();
    await approve(world);
    expect(world.completed).toEqual([{ outcome: 'granted', proceeds: true, by: 'bob' }]);
    expect(world.recorded()).toEqual(['Approval Requested', 'Approval Granted']);
    expect(world.events.at(-1)?.detail.data).toMatchObject({
      approver: arnOf('bob'),
      way: 'cli',
      act: 'replace',
    });
  });

  test('sends STS what was signed, bound to this answer and no other', async () => {
    const world = await waiting();
    await approve(world);
    expect(world.sent[0]).toMatchObject({ 'x-rekey-binding': bindingFor(deed) });
    const others = [
      { ...deed, outcome: 'refused' },
      { ...deed, reason: 'because' },
      { ...deed, requestId: 'another' },
      { act: 'ask', requestId, digest: 'granted' },
    ] as const;
    for (const other of others) expect(bindingFor(other)).not.toBe(bindingFor(deed));
  });

  test.each(['alice', 'ALICE'])('of its author is refused under another role: %s', async (session) => {
    const world = await waiting();
    await expect(approve(world, session)).rejects.toMatchObject({ code: 'ApproverIsAuthor' });
    expect(world.store.decided).toEqual([]);
    expect(world.completed).toEqual([]);
  });

  test('counts of those alone whom the configuration names, where it names any', async () => {
    const world = await waiting();
    world.approvers = ['Carol'];
    await expect(approve(world)).rejects.toMatchObject({ code: 'ApproverNotNamed' });
    await approve(world, 'carol');
    expect(world.completed).toHaveLength(1);
  });

  test('is the first that counts; the same of the same person once more is the same as once', async () => {
    const world = await waiting();
    await approve(world);
    await approve(world);
    await expect(approve(world, 'carol')).rejects.toMatchObject({ code: 'ApprovalDecided' });
    expect(world.store.decided).toHaveLength(1);
    expect(world.recorded()).toEqual(['Approval Requested', 'Approval Granted']);
  });

  test('comes too late when the time has ended, which is recorded then', async () => {
    const world = await waiting();
    world.now += 60 * 60_000;
    await expect(approve(world)).rejects.toMatchObject({ code: 'ApprovalExpired' });
    expect(world.recorded()).toEqual(['Approval Requested', 'Approval Expired']);
    expect(world.completed).toEqual([{ outcome: 'expired', proceeds: false }]);
  });

  test('to what does not wait is refused', async () => {
    const world = new ApprovalWorld();
    await expect(approve(world)).rejects.toMatchObject({ code: 'ApprovalUnknown' });
  });

  test('that did not reach the workflow reaches it with the next round', async () => {
    const world = await waiting();
    world.waiting = undefined;
    await approve(world);
    expect(world.completed).toEqual([]);
    await wait(world.round(), limits, world.dependencies());
    expect(world.completed).toEqual([{ outcome: 'granted', proceeds: true, by: 'bob' }]);
  });

  test('nobody gives: more people are told once, and the time ends by the rule', async () => {
    const world = await waiting();
    for (const minutes of [14, 1, 1]) {
      world.now += minutes * 60_000;
      await wait(world.round(), limits, world.dependencies());
    }
    expect(world.events.map(({ detailType }) => detailType)).toEqual([
      'Approval Requested',
      'Approval Escalated',
    ]);
    world.now += 60 * 60_000;
    await wait(world.round(), { ...limits, onExpiry: 'proceed' }, world.dependencies());
    // The rule of the time when it was asked for.
    expect(world.completed).toEqual([{ outcome: 'expired', proceeds: false }]);
  });
});

describe('a proof of identity that is forged is refused before STS is asked', () => {
  const at = new Date('2026-03-01T12:00:00.000Z');
  const minutes = (count: number) => new Date(at.getTime() + count * 60_000);
  const good = proofFor(at);
  test.each([
    ['another service', proofFor(at, { service: 'iam' })],
    ['another region', proofFor(at, { region: 'us-east-1' })],
    ['the binding unsigned', proofFor(at, { headers: 'content-type;host;x-amz-date;x-amz-security-token' })],
    [
      'the host unsigned',
      proofFor(at, { headers: 'content-type;x-amz-date;x-amz-security-token;x-rekey-binding' }),
    ],
    [
      'a further header',
      proofFor(at, {
        headers: 'content-type;host;x-amz-date;x-amz-security-token;x-amz-target;x-rekey-binding',
      }),
    ],
    ['the token unsigned', proofFor(at, { headers: 'content-type;host;x-amz-date;x-rekey-binding' })],
    ['too old', proofFor(minutes(-16))],
    ['ahead', proofFor(minutes(6))],
    ['another date than signed', { ...good, date: '20260302T120000Z' }],
    ['no date', { ...good, date: 'yesterday' }],
    ['Signature Version 2', { ...good, authorization: 'AWS AKIAAAAAAAAAAAAAAAAA:signature' }],
    ['a header smuggled in', { ...good, authorization: `${good.authorization}\r\nx-amz-target: x` }],
    ['a date smuggled in', { ...good, date: `${good.date}\r\nhost: evil.example` }],
  ])('%s', async (_what, proof) => {
    const world = await waiting();
    world.now = at.getTime();
    await expect(approve(world, 'bob', proof)).rejects.toMatchObject({ code: 'IdentityUnproven' });
    expect(world.sent).toEqual([]);
    expect(world.store.decided).toEqual([]);
  });

  test.each(['url', 'host', 'method', 'body', 'headers'])('it cannot name its own %s', (field) => {
    const given = { requestId, outcome: 'granted', proof: { ...good, [field]: 'https://evil.example/' } };
    expect(answerInputSchema.safeParse(given).success).toBe(false);
    expect(answerInputSchema.safeParse({ ...given, proof: good }).success).toBe(true);
  });
});

describe('somebody whom STS names is refused', () => {
  test.each([
    ['of another role', arnOf('bob', 'developer'), account, 'PersonNotPermitted'],
    ['of a role whose name begins the same', arnOf('bob', 'approver2'), account, 'PersonNotPermitted'],
    [
      'of another account',
      arnOf('bob').replace(account, '999988887777'),
      '999988887777',
      'PersonNotPermitted',
    ],
    ['a user, who has no role', `arn:aws:iam::${account}:user/approver`, account, 'PersonNotPermitted'],
    ['the root', `arn:aws:iam::${account}:root`, account, 'PersonUnnamed'],
    ['a session that names nobody', arnOf('botocore-session-1700000000'), account, 'PersonUnnamed'],
    ['a machine', arnOf('i-0123456789abcdef0'), account, 'PersonUnnamed'],
  ])('%s', async (_what, arn, of, code) => {
    const world = await waiting();
    world.signer = { account: of, arn };
    const proof = proofFor(new Date(world.now));
    await expect(
      answer({ requestId, outcome: 'granted', proof }, world.dependencies()),
    ).rejects.toMatchObject({ code });
    expect(world.completed).toEqual([]);
  });
});

describe('the desk', () => {
  const digest = 'b'.repeat(64);
  const ask = (world: ApprovalWorld, arn: string, of = digest) => {
    world.signer = { account, arn };
    const proof = proofFor(new Date(world.now));
    return serve({ action: 'ask', requestId, digest: of, proof }, world.dependencies());
  };

  test('notes who asks, once; somebody else, or another request of that id, is refused', async () => {
    const world = new ApprovalWorld();
    const alice = arnOf('alice', 'responder');
    expect(await ask(world, alice)).toEqual({ author: { name: 'alice', arn: alice } });
    await ask(world, alice);
    await expect(ask(world, arnOf('mallory', 'responder'))).rejects.toMatchObject({ code: 'AuthorConflict' });
    await expect(ask(world, alice, 'c'.repeat(64))).rejects.toMatchObject({ code: 'AuthorConflict' });
    await expect(ask(world, arnOf('bob'))).rejects.toMatchObject({ code: 'PersonNotPermitted' });
    expect((await world.store.author(requestId))?.person.arn).toBe(alice);
  });

  test('shows requests without the token of the workflow', async () => {
    const world = await waiting();
    const shown = await serve({ action: 'list' }, world.dependencies());
    expect(shown).toMatchObject({ requests: [{ id: requestId, state: 'waiting', reason: 'laptop lost' }] });
    expect(await serve({ action: 'show', requestId }, world.dependencies())).toEqual(shown);
    expect(JSON.stringify(shown)).not.toContain('token-1');
  });
});
