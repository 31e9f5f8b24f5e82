import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { logsIn, openSession } from '../../servers/database.ts';
import { environmentName, type LocalDeployment } from '../deployment.ts';
import { eventually } from '../eventually.ts';
import { type Act, milliseconds } from './act.ts';

async function rotate(deployment: LocalDeployment, secret: string): Promise<number> {
  const start = performance.now();
  const { exitCode, stdout, stderr } = await deployment.rekey(
    'operator',
    'secret',
    'rotate',
    secret,
    '--wait',
    '--yes',
  );
  assert.equal(exitCode, 0, `rekey secret rotate ${secret} ended with ${exitCode}:\n${stdout}${stderr}`);
  return performance.now() - start;
}

/** Shows that after a rotation the old password is refused and the new one accepted, for the same user. */
export const singleUser: Act = async (deployment, note) => {
  const secret = `/${environmentName}/orders`;
  const { caPem } = deployment.postgres;
  const before = await deployment.readLogin(secret);
  assert.ok(await logsIn(before, caPem), 'the password before the rotation must log in');
  const took = await rotate(deployment, secret);
  const after = await deployment.readLogin(secret);
  assert.notEqual(after.versionId, before.versionId);
  assert.equal(after.username, before.username);
  assert.equal(await logsIn(before, caPem), false, 'the old password must be refused');
  note(`${after.username}: old password refused`);
  assert.ok(await logsIn(after, caPem), 'the new password must be accepted');
  note(`${after.username}: new password accepted`);
  return [
    { what: 'single-user rotation on demand', result: `old refused, new accepted, ${milliseconds(took)}` },
  ];
};

/** Shows two users that take turns: a client that logs in anew and queries all the time never fails. */
export const alternatingUsers: Act = async (deployment, note) => {
  const secret = `/${environmentName}/billing`;
  const { caPem } = deployment.postgres;
  const rotations = 3;
  const state = { running: true, queries: 0, failures: [] as string[], users: new Set<string>() };
  const client = (async () => {
    while (state.running) {
      try {
        const login = await deployment.readLogin(secret);
        const session = await openSession(login, caPem);
        await session.query('SELECT count(*) FROM pg_class');
        await session.end();
        state.users.add(login.username);
      } catch (error) {
        state.failures.push(error instanceof Error ? error.message : String(error));
      }
      state.queries += 1;
      await sleep(10);
    }
  })();
  try {
    for (let rotation = 1; rotation <= rotations; rotation += 1) {
      await rotate(deployment, secret);
      // A login that was read before this rotation must be over before the next: a client has until then.
      const seen = state.queries + 2;
      await eventually('the client logs in after the rotation', async () => state.queries >= seen);
      note(
        `rotation ${rotation}: ${state.queries} logins with a query so far, ${state.failures.length} failed`,
      );
    }
  } finally {
    state.running = false;
    await client;
  }
  assert.deepEqual(state.failures, [], `${state.failures.length} of ${state.queries} queries failed`);
  assert.equal(state.users.size, 2, 'both users must have been in use');
  return [
    {
      what: `${rotations} rotations with alternating users under load`,
      result: `${state.queries} logins with a query, ${state.failures.length} failed`,
    },
  ];
};

/** Shows a database that goes away after the password was set. The rotation fails loudly, and the retry repairs it. */
export const databaseGoesAway: Act = async (deployment, note) => {
  const secret = `/${environmentName}/stock`;
  const { caPem } = deployment.postgres;
  const before = await deployment.readLogin(secret);
  // setSecret needs one connection; testSecret finds the door shut.
  deployment.gate.shutAfter(1);
  const failed = await deployment.rekey('operator', 'secret', 'rotate', secret, '--wait', '--yes');
  const said = `${failed.stdout}${failed.stderr}`;
  assert.equal(failed.exitCode, 1, `a rotation without its database must fail:\n${said}`);
  assert.match(said, /testSecret: TargetUnreachable/, 'the operator must learn which step failed, and why');
  const record = await eventually('the failure is in the audit log', async () => {
    const { stdout } = await deployment.rekey('auditor', 'audit', 'tail', '--secret', secret, '--json');
    return stdout
      .split('\n')
      .find((line) => line.includes('Secret Rotation Failed') && line.includes('testSecret'));
  });
  assert.match(record, /TargetUnreachable/);
  note('testSecret failed with TargetUnreachable: the operator was told, and the audit log has it');
  const between = await deployment.readLogin(secret);
  assert.equal(
    between.versionId,
    before.versionId,
    'AWSCURRENT must not move to a version that was not tested',
  );
  deployment.gate.open();
  await rotate(deployment, secret);
  const after = await deployment.readLogin(secret);
  assert.notEqual(after.versionId, before.versionId);
  assert.ok(await logsIn(after, caPem), 'after the retry the current version must log in');
  assert.equal(await logsIn(before, caPem), false);
  note('the retry finished the rotation that was left over');
  return [
    {
      what: 'database gone between set and finish',
      result: 'TargetUnreachable recorded; retry: current version logs in',
    },
  ];
};
