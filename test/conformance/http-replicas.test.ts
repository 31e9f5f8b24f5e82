import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type HttpUnderTest, start } from './drivers/http.ts';
import { secretAt } from './http-world.ts';
import { failure } from './scene.ts';

let target: HttpUnderTest;
beforeAll(async () => {
  target = await start();
});
afterAll(() => target.stop());
afterEach(() => {
  target.service.behind = [];
});

describe('a service whose replicas disagree for a while', () => {
  const replicated = async () => {
    const made = await secretAt(target);
    const secret = { ...made.scene.current, recipe: 'replicated-token' };
    made.scene.versions[0] = secret;
    return { ...made, secret };
  };
  const [knows, behind] = [false, true];

  test('a new credential is accepted when it was several times in a row', async () => {
    const { scene, service } = await replicated();
    const next = await scene.propose();
    service.behind = [knows, behind];
    const before = service.log.length;
    await target.rotator.apply(next as never, scene.applyContext as never);
    expect(service.log.slice(before).map((line) => line.split(' ').at(-1))).toEqual([
      ...['200', '401'],
      ...['200', '200'],
    ]);
  }, 15_000);

  test('a new credential that replicas refuse again and again is not accepted', async () => {
    const { scene, service } = await replicated();
    const next = await scene.propose();
    service.behind = Array.from({ length: 12 }, (_, index) => index % 2 === 1);
    expect(await failure(target.rotator.apply(next as never, scene.applyContext as never))).toMatchObject({
      code: 'CredentialNotYetAccepted',
    });
  }, 15_000);

  test('a containment is proven when the credential was refused several times in a row', async () => {
    const { scene, service, secret } = await replicated();
    service.behind = [knows, knows, behind];
    const before = service.log.length;
    expect(await scene.contain(secret)).toMatchObject({ loginsRefused: true });
    // One to learn the id; the revocation; refused, accepted by a replica that is behind, refused for good.
    expect(service.log.slice(before).map((line) => line.split(' ').at(-1))).toEqual([
      ...['200', '204', '401', '200'],
      ...['401', '401'],
    ]);
  }, 15_000);

  test('a containment that replicas contradict again and again is not proven', async () => {
    const { scene, service, secret } = await replicated();
    service.behind = [knows, ...Array.from({ length: 12 }, (_, index) => index % 2 === 1)];
    expect(await scene.contain(secret)).toMatchObject({
      loginsRefused: false,
      note: expect.stringContaining('still accepted'),
    });
  }, 15_000);

  test('a verification counts a refusal when all that are asked refuse', async () => {
    const { scene, service, secret } = await replicated();
    await scene.contain(secret);
    service.behind = [knows, behind];
    expect(await target.rotator.probe(secret as never, scene.context)).toEqual({ outcome: 'accepted' });
    expect(await target.rotator.probe(secret as never, scene.context)).toMatchObject({
      outcome: 'rejected',
    });
  }, 15_000);

  test('what is called gone is gone when all that are asked refuse it', async () => {
    const { scene, service, codes } = await replicated();
    const old = await scene.propose();
    service.tokens.delete(String(old.id));
    service.behind = [knows, knows];
    const context = { ...scene.applyContext, act: 'remove', announce: async () => undefined };
    expect(await target.rotator.retire(old as never, context as never)).toEqual({ done: 'nothing' });
    expect(codes()).toEqual([]);
    const again = await scene.propose();
    await scene.contain(again);
    service.behind = [knows, behind, knows, behind];
    expect(await target.rotator.retire(again as never, context as never)).toMatchObject({
      done: 'nothing',
      note: expect.stringContaining('still accepts it'),
    });
    expect(codes()).toEqual(['PreviousCredentialRemains']);
  }, 20_000);

  test('a new credential that a replica does not know yet is discarded all the same', async () => {
    const { scene, service, codes } = await replicated();
    const proposal = await scene.propose();
    service.mood = (response) => {
      service.mood = undefined;
      response.writeHead(404).end();
    };
    await target.rotator.discard(proposal as never, scene.applyContext as never);
    expect(service.tokens.has(String(proposal.id))).toBe(false);
    expect(codes()).toEqual([]);
  }, 15_000);
});
