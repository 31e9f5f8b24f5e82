import { describe, expect, test } from '@jest/globals';
import type { Person } from '../../../core/approval/person.ts';
import { requestDigest } from '../../../core/deployed/revocation-request.ts';
import { finalStateSchema } from '../../../core/deployed/revocation-state.ts';
import { detailSchema, revocationRequestSchema } from '../../../core/events/catalogue.ts';
import { type IntakeDependencies, takeRequest } from '../../../lambdas/revocation/intake.ts';
import { report } from '../../../lambdas/revocation/report.ts';
import { requestEvent, requestId, World } from './world.ts';

const alice: Person = {
  arn: 'arn:aws:sts::111122223333:assumed-role/responder/alice',
  account: '111122223333',
  name: 'alice',
  role: 'responder',
};

/** Takes a request where `replace` needs a second person. */
async function take(
  data: Record<string, unknown>,
  change: { digest?: string; breakGlass?: boolean; author?: () => Promise<never> } = {},
) {
  const world = new World();
  const inputs: string[] = [];
  const event = requestEvent({}, data);
  const digest = change.digest ?? requestDigest(revocationRequestSchema.parse(event.detail.data));
  const dependencies: IntakeDependencies = world.intake({
    starter: {
      start: async (_name, input) => {
        inputs.push(input);
        return 'started';
      },
    },
    approvals: {
      modes: ['replace'],
      breakGlass: change.breakGlass ?? true,
      authors: {
        author: change.author ?? (async (id) => (id === requestId ? { person: alice, digest } : undefined)),
      },
    },
  });
  const taken = await takeRequest(event, dependencies);
  return { taken, world, input: inputs[0] === undefined ? undefined : JSON.parse(inputs[0]) };
}

describe('a request that needs a second person', () => {
  test('starts with the proven author, who is not the one that it claims', async () => {
    const { taken, input } = await take({ mode: 'replace' });
    expect(taken).toEqual({ outcome: 'started' });
    expect(input.approval).toEqual({ author: alice, reason: 'found in a public repository' });
  });

  test('without a proven author, or with one of another request, is rejected', async () => {
    const { taken, input, world } = await take({ mode: 'replace' }, { digest: 'of another one' });
    expect(taken).toMatchObject({ outcome: 'rejected', error: { code: 'AuthorUnproven' } });
    expect(input).toBeUndefined();
    expect(world.published()).toEqual(['Secret Revocation Rejected']);
  });

  test('goes on with the glass broken, and says so first', async () => {
    const { taken, input, world } = await take({ mode: 'replace', breakGlass: true });
    expect(taken).toEqual({ outcome: 'started', bypassed: true });
    expect(input.approval).toBeUndefined();
    expect(world.published()).toEqual(['Approval Bypassed', 'Secret Revocation Started']);
    const [bypassed] = world.bus.events;
    expect(detailSchema('Approval Bypassed').parse(bypassed?.detail).data).toMatchObject({
      author: alice.arn,
      authorProven: true,
      subject: 'orders',
    });
  });

  test('does so where nobody can be asked who the author is: that is a claim then', async () => {
    const author = () => Promise.reject(new Error('away'));
    const { taken, world } = await take({ mode: 'replace', breakGlass: true }, { author });
    expect(taken).toMatchObject({ outcome: 'started' });
    expect(world.bus.events[0]?.detail.data).toMatchObject({ author: 'responder', authorProven: false });
  });

  test('may not break the glass where the configuration forbids it', async () => {
    const { taken } = await take({ mode: 'replace', breakGlass: true }, { breakGlass: false });
    expect(taken).toMatchObject({ outcome: 'rejected', error: { code: 'BreakGlassForbidden' } });
  });

  test('is none of another mode, and what breaks no glass bypasses nothing', async () => {
    for (const breakGlass of [undefined, true]) {
      const { taken, input, world } = await take({ mode: 'kill', ...(breakGlass && { breakGlass }) });
      expect(taken).toEqual({ outcome: 'started' });
      expect(input.approval).toBeUndefined();
      expect(world.published()).toEqual(['Secret Revocation Started']);
    }
  });
});

describe('the report of a revocation that waited', () => {
  const reported = async (more: object) => {
    const { input } = await take({ mode: 'replace' });
    const world = new World();
    const result = await report({ ...input, ...more }, { bus: world.bus, origin: world.origin() });
    return { result, events: world.bus.events };
  };
  test.each([
    [
      { approved: { outcome: 'refused', proceeds: false, by: 'bob', reason: 'not now' } },
      'ApprovalRefused',
      /bob refused .*: not now/,
    ],
    [{ approved: { outcome: 'expired', proceeds: false } }, 'ApprovalExpired', /nobody approved/],
    [{ approvalFailure: { Error: 'Throttled', Cause: '{"errorMessage":"busy"}' } }, 'Throttled', /busy/],
    [{}, 'Unexpected', /no result/],
  ])('%j', async (more, code, message) => {
    const { result, events } = await reported(more);
    expect(result).toMatchObject({ outcome: 'failed', stage: 'approval', error: code });
    expect(events[0]?.detail.data).toMatchObject({
      stage: 'approval',
      error: { code, message: expect.stringMatching(message) },
    });
  });

  test('looks at what was done where it was approved', async () => {
    const approved = { outcome: 'granted', proceeds: true, by: 'bob' };
    expect((await reported({ approved })).result).toMatchObject({ stage: 'rotate' });
    expect(finalStateSchema.shape.approved.parse(approved)).toEqual(approved);
  });
});
