import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CacheLogin, cacheAccepts } from '../../servers/cache.ts';
import { environmentName } from '../deployment.ts';
import { eventually } from '../eventually.ts';
import type { Act } from './act.ts';

const secret = `/${environmentName}/sessions`;

/** Shows a cache that accepts two passwords at once. Whoever still has the one before the rotation goes on working. */
export const twoPasswords: Act = async (deployment, note) => {
  const { cache } = deployment;
  assert.ok(cache, 'this act needs the cache');
  const read = () => deployment.readSecret<CacheLogin>(secret);
  const accepts = (login: CacheLogin) => cacheAccepts(login, cache.caPem);
  const state = { running: true, logins: 0, refused: [] as string[] };
  const client = (async () => {
    while (state.running) {
      // Whatever goes wrong here counts: this runs beside what is waited for, where nobody would hear of an error.
      const accepted = await read()
        .then(accepts)
        .catch((error: unknown) => String(error));
      if (accepted !== true) state.refused.push(accepted === false ? 'refused' : accepted);
      state.logins += 1;
      await sleep(10);
    }
  })();
  const versions = [await read()];
  try {
    for (let rotation = 1; rotation <= 2; rotation += 1) {
      const { exitCode, stdout, stderr } = await deployment.rekey(
        'operator',
        ...['secret', 'rotate', secret, '--wait', '--yes'],
      );
      assert.equal(exitCode, 0, `rekey secret rotate ${secret} ended with ${exitCode}:\n${stdout}${stderr}`);
      versions.push(await read());
      // A password that was read before this rotation must be used before the next: a client has until then.
      const seen = state.logins + 2;
      await eventually('the client logs in after the rotation', async () => state.logins >= seen);
      const accepted = await Promise.all(versions.map(accepts));
      const expected = versions.map((_version, index) => index >= versions.length - 2);
      assert.deepEqual(accepted, expected, 'the last two passwords, and no other, must be accepted');
      note(`rotation ${rotation}: the new and the last password are accepted, older ones refused`);
    }
  } finally {
    state.running = false;
    await client;
  }
  assert.deepEqual(state.refused, [], `${state.refused.length} of ${state.logins} logins were refused`);
  return [
    {
      what: '2 rotations of a Redis user with two passwords, under load',
      result: `${state.logins} logins, ${state.refused.length} refused`,
    },
  ];
};
