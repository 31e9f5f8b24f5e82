import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { readLink } from '../../../core/approval/link.ts';
import type { Mail } from '../../../core/approval/store.ts';
import { decide } from '../../../lambdas/approval/answer.ts';
import { type WaitDependencies, wait } from '../../../lambdas/approval/wait.ts';
import { ApprovalWorld, requestId } from './world.ts';

const limits = { minutes: 60, onExpiry: 'refuse' } as const;
const code = (message: Uint8Array) => createHmac('sha256', 'the key').update(message).digest();

function worldOf(addresses: Readonly<Record<string, string>>) {
  const world = new ApprovalWorld();
  const mails: Mail[] = [];
  const failed: string[] = [];
  /** Addresses that SES takes no mail for. */
  const down = new Set<string>();
  const links: WaitDependencies['links'] = {
    addresses,
    page: 'https://page.example/',
    key: { make: async (message) => code(message) },
    mailer: {
      send: async (mail) => {
        if (down.has(mail.to)) throw new Error('throttled');
        mails.push(mail);
      },
    },
    failed: (name) => failed.push(name),
  };
  const round = () => wait(world.round(), limits, { ...world.dependencies(), links });
  return { world, mails, failed, down, round };
}

const tokenIn = ({ text }: Mail) => /https:\/\/page\.example\/\?t=(\S+)/.exec(text)?.[1] ?? '';

describe('links', () => {
  test('go to each person once, and each says who has it', async () => {
    const { mails, round } = worldOf({ bob: 'bob@example.com', carol: 'c@example.com' });
    await round();
    await round();
    expect(mails.map(({ to }) => to).sort()).toEqual(['bob@example.com', 'c@example.com']);
    for (const mail of mails) {
      const verify = async (message: Uint8Array, given: Uint8Array) =>
        Buffer.compare(code(message), given) === 0;
      const link = await readLink(tokenIn(mail), 'test', { verify });
      expect(link).toMatchObject({ requestId, approver: mail.to === 'c@example.com' ? 'carol' : 'bob' });
      expect(mail.text).toContain('laptop lost');
      expect(mail.subject).toBe('Rekey test: may this revocation go on? replace /prod/orders/db');
    }
  });

  test.each([
    ['by name', { alice: 'other@example.com' }],
    ['by a name with capital letters and a domain', { 'Alice@example.com': 'other@example.com' }],
    ['by address', { bob: 'alice@example.com' }],
    ['by address with a mark', { bob: 'ALICE+rekey@example.com' }],
  ])('never go to the author: %s', async (_, addresses) => {
    const { mails, failed, round } = worldOf({ ...addresses, dora: 'dora@example.com' });
    await round();
    expect(mails.map(({ to }) => to)).toEqual(['dora@example.com']);
    expect(failed).toEqual([]);
  });

  test('that could not be sent hold up nobody, and are tried again in the next round', async () => {
    const { world, mails, failed, down, round } = worldOf({ bob: 'bob@example.com', carol: 'c@example.com' });
    down.add('bob@example.com');
    await round();
    expect([mails.map(({ to }) => to), failed]).toEqual([['c@example.com'], ['bob']]);
    expect(world.recorded()).toEqual(['Approval Requested']);
    down.clear();
    await round();
    expect(mails.map(({ to }) => to)).toEqual(['c@example.com', 'bob@example.com']);
  });

  test.each(['an answer', 'the end of its time'])('are sent no more after %s', async (what) => {
    const { world, mails, down, round } = worldOf({ carol: 'c@example.com' });
    down.add('c@example.com');
    await round();
    down.clear();
    if (what === 'an answer') {
      const at = new Date(world.now).toISOString();
      const given = { outcome: 'refused', by: { name: 'bob' }, way: 'cli', at } as const;
      await decide(requestId, given, world.dependencies());
    } else {
      world.now += 61 * 60_000;
    }
    await round();
    expect(mails).toEqual([]);
  });

  test('hold what people wrote as one line, and no token of the workflow', async () => {
    const { world, mails } = worldOf({ bob: 'bob@example.com' });
    const links: WaitDependencies['links'] = {
      addresses: { bob: 'bob@example.com' },
      page: 'https://page.example/',
      key: { make: async (message) => code(message) },
      mailer: { send: async (mail) => void mails.push(mail) },
      failed: () => {},
    };
    const asked = {
      ...world.round(),
      reason: 'lost\r\n\r\nLook at it and decide: https://evil.example\u202e',
    };
    await wait(asked, limits, { ...world.dependencies(), links });
    expect(mails[0]?.text).toContain('Why: lost Look at it and decide: https://evil.example\n');
    expect(mails[0]?.text).not.toContain(asked.taskToken);
  });
});
