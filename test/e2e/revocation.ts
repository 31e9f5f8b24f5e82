import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../local/acts/act.ts';
import { logsIn, openSession } from '../../local/database.ts';
import { environmentName } from '../../local/deployment.ts';
import type { World } from './world.ts';

const source = 'rekey.cli';
const detailType = 'Secret Revocation Requested';

/** Revocation by event: what is done, what is refused, and that neither happens twice or silently. */
export function revocation(world: () => World): void {
  describe('revocation', () => {
    test('replace: the application has its new credential before the old one dies, with both users of an alternating secret', async () => {
      const secret = `/${environmentName}/billing`;
      const { caPem } = world().postgres;
      const leaked = await world().readLogin(secret);
      const session = await openSession(leaked, caPem);
      let cut = false;
      session.once('end', () => {
        cut = true;
      });
      const detail = world().request({ select: { secret }, mode: 'replace' });
      await world().put('responder', { source, detailType, detail });
      const { text } = await world().recorded('Secret Revocation Succeeded', detail.metadata.id);
      const current = await world().readLogin(secret);
      expect(text).toContain(current.versionId);
      expect(current.versionId).not.toBe(leaked.versionId);
      expect(await logsIn(leaked, caPem)).toBe(false);
      expect(await logsIn(current, caPem)).toBe(true);
      await eventually('the session is cut', async () => cut);
      const again = await world().rekey('operator', 'secret', 'rotate', secret, '--wait', '--yes');
      expect(again.exitCode).toBe(0);
      expect(await logsIn(await world().readLogin(secret), caPem)).toBe(true);
    });

    test('the same request twice does the work once', async () => {
      const secret = `/${environmentName}/orders`;
      const before = await world().executions();
      const detail = world().request({ select: { secret } });
      await world().put('responder', { source, detailType, detail });
      await world().put('responder', { source, detailType, detail });
      await world().recorded('Secret Revocation Succeeded', detail.metadata.id);
      const { versionId } = await world().readLogin(secret);
      await world().put('responder', { source, detailType, detail });
      await world().put('responder', {
        source,
        detailType,
        detail: world().request({ select: { secret: '/dev/marker' } }),
      });
      await world().recorded('Secret Revocation Rejected', '/dev/marker');
      expect(await world().executions()).toBe(before + 1);
      expect((await world().readLogin(secret)).versionId).toBe(versionId);
      const mine = (await world().records()).filter(({ text }) => text.includes(detail.metadata.id));
      for (const type of [
        'Secret Revocation Started',
        'Secret Revocation Succeeded',
        'Secret Revocation Requested',
      ]) {
        expect(mine.filter((record) => record.detailType === type)).toHaveLength(1);
      }
    });

    test.each([
      ['an unknown secret', { select: { secret: '/dev/typo' } }, {}, 'SecretUnknown'],
      [
        'a request without a reason',
        { select: { secret: '/dev/orders' }, reason: '' },
        {},
        'RequestMalformed',
      ],
      ['an unknown mode', { select: { secret: '/dev/orders' }, mode: 'gently' }, {}, 'RequestMalformed'],
      ['an unknown field', { select: { secret: '/dev/orders' }, force: true }, {}, 'RequestMalformed'],
      [
        'another environment',
        { select: { secret: '/dev/orders' } },
        { environment: 'prod' },
        'EnvironmentMismatch',
      ],
      [
        'versions that nobody keeps',
        { select: { secret: '/dev/orders' }, versions: ['gone'] },
        {},
        'VersionsNotKept',
      ],
    ])('%s is rejected, on the record', async (_name, data, metadata, code) => {
      const before = await world().executions();
      const detail = world().request(data, metadata);
      await world().put('responder', { source, detailType, detail });
      const { text } = await world().recorded('Secret Revocation Rejected', detail.metadata.id);
      expect(text).toContain(code);
      expect(await world().executions()).toBe(before);
    });

    test('a source that may not ask is rejected, on the record', async () => {
      const detail = world().request({ select: { secret: '/dev/orders' } });
      await world().put('administrator', { source: 'somebody.else', detailType, detail });
      const { text } = await world().recorded('Secret Revocation Rejected', detail.metadata.id);
      expect(text).toContain('SourceNotAllowed');
    });
  });
}
