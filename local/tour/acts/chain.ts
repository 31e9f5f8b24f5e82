import assert from 'node:assert/strict';
import { openSession } from '../../servers/database.ts';
import type { Chain, ChainLink, ChainVersion } from '../chain.ts';
import { eventually } from '../eventually.ts';
import { type Act, milliseconds } from './act.ts';

/** A link of the chain, with what somebody copied before it was known to have leaked. */
interface Leaked extends ChainLink {
  readonly version: ChainVersion;
  /** Milliseconds from the command to the first refusal that was seen. */
  refusedAfter?: number;
}

const reason = 'the admin password of the shop was found in a chat';

/** Shows one leaked credential of an admin take all that it leads to with it. */
export const chainLeaks =
  (chain: Chain): Act =>
  async (deployment, note) => {
    const leaked: Leaked[] = await Promise.all(
      chain.links.map(async (link) => ({ ...link, version: await deployment.readSecret(link.secret) })),
    );
    await Promise.all(
      leaked.map(async ({ secret, version, accepts }) =>
        assert.ok(await accepts(version), `${secret} must work before it leaks`),
      ),
    );
    const { caPem } = deployment.postgres;
    const databases = leaked.filter(({ kind }) => kind === 'PostgreSQL');
    let cut = 0;
    for (const { version } of databases) {
      const session = await openSession(version as never, caPem);
      session.once('end', () => {
        cut += 1;
      });
    }
    const asked = ['--mode', 'kill', '--reason', reason, '--incident', 'INC-1', '--chain'];
    const plan = await deployment.rekey('responder', 'revoke', chain.first, ...asked, '--plan');
    assert.equal(plan.exitCode, 0, `rekey revoke --plan ended with ${plan.exitCode}:\n${plan.stderr}`);
    for (const line of plan.stderr.split('\n').filter((text) => text.trim() !== '')) note(line);

    const start = performance.now();
    const revoked = deployment.rekey(
      'responder',
      'revoke',
      chain.first,
      ...asked,
      '--wait',
      '--yes',
      '--json',
    );
    await Promise.all(
      leaked.map(async (link) => {
        // A trial may itself be cut in the middle, which says nothing yet of whether the next login is refused.
        const works = () => link.accepts(link.version).catch(() => true);
        await eventually(`${link.secret} is refused`, async () => !(await works()));
        link.refusedAfter = performance.now() - start;
        note(`${link.secret} (${link.kind}) is refused, ${milliseconds(link.refusedAfter)} after enter`);
      }),
    );
    await eventually('the open sessions are cut', async () => cut === databases.length);
    const { stdout, stderr, exitCode } = await revoked;
    const end = JSON.parse(stdout) as {
      requestId: string;
      outcome: string;
      succeeded: number;
      openTasks: number;
      timeToContainmentMs: number;
      tasks: readonly { id: string; task: string }[];
    };
    // Not 0: a task is left to people, and the command says so.
    assert.equal(exitCode, 1, `rekey revoke ended with ${exitCode}:\n${stdout}${stderr}`);
    assert.deepEqual(
      { outcome: end.outcome, succeeded: end.succeeded, openTasks: end.openTasks },
      { outcome: 'open', succeeded: chain.links.length, openTasks: 1 },
      `${stdout}${stderr}`,
    );
    for (const { secret, version, accepts } of leaked) {
      const current = await deployment.readSecret(secret);
      assert.notEqual(current.versionId, version.versionId, `${secret} must have a new version`);
      assert.ok(await accepts(current), `the new credential of ${secret} must be accepted`);
      assert.equal(await accepts(version), false, `the leaked credential of ${secret} must be refused`);
    }
    const [task] = end.tasks;
    assert.ok(task !== undefined);
    note(`left to people: ${task.task}`);
    const done = await deployment.rekey(
      'responder',
      ...['incident', 'done', end.requestId, task.id, '--note', 'all releases were built by the pipeline'],
    );
    assert.equal(done.exitCode, 0, `rekey incident done ended with ${done.exitCode}:\n${done.stderr}`);
    const last = Math.max(...leaked.map(({ refusedAfter = Number.NaN }) => refusedAfter));
    const kinds = [...Map.groupBy(leaked, ({ kind }) => kind)].map(([kind, of]) => `${of.length} ${kind}`);
    return [
      {
        what: `one admin credential, and ${leaked.length - 1} that it leads to`,
        result: `${kinds.join(', ')}: all refused ${milliseconds(end.timeToContainmentMs)} after the event (${milliseconds(last)} after enter), ${cut} sessions cut, all new ones work`,
      },
    ];
  };
