import { describe, expect, test } from '@jest/globals';
import { logsIn } from '../../local/servers/database.ts';
import { environmentName } from '../../local/tour/deployment.ts';
import type { World } from './world.ts';

const source = 'rekey.cli';
const detailType = 'Secret Revocation Requested';

/** Revocation of several secrets by one event: planned, done, proven, and concluded. */
export function several(world: () => World): void {
  describe('revocation of several secrets', () => {
    test.each(['kill', 'replace'] as const)(
      '%s: what a consumer reads is refused, replaced and proven',
      async (mode) => {
        const names = ['orders', 'billing'].map((name) => `/${environmentName}/${name}`);
        const { caPem } = world().postgres;
        const leaked = await Promise.all(names.map((name) => world().readLogin(name)));
        const detail = world().request({
          select: { secrets: names.map((secret) => ({ secret })) },
          mode,
          incident: `INC-${mode}`,
        });
        await world().put('responder', { source, detailType, detail });
        const { text } = await world().recorded('Revocation Concluded', detail.metadata.id);
        expect(JSON.parse(text).event).toMatchObject({
          detail: { data: { outcome: 'proven', succeeded: 2, unproven: 0, failed: 0, openTasks: 0 } },
        });
        for (const [index, name] of names.entries()) {
          const [old, current] = [leaked[index] as (typeof leaked)[number], await world().readLogin(name)];
          expect(current.versionId).not.toBe(old.versionId);
          expect(await logsIn(old, caPem)).toBe(false);
          expect(await logsIn(current, caPem)).toBe(true);
        }
        const mine = (await world().records()).filter((record) => record.text.includes(detail.metadata.id));
        const kinds = mine.map((record) => record.detailType);
        expect(kinds.filter((kind) => kind === 'Revocation Planned')).toHaveLength(1);
        expect(kinds.filter((kind) => kind === 'Secret Revocation Started')).toHaveLength(2);
        expect(kinds.filter((kind) => kind === 'Secret Revocation Succeeded')).toHaveLength(2);
      },
    );

    test('a request that finds nothing is rejected, and says so', async () => {
      const detail = world().request({ select: { owner: 'team-shopp' }, mode: 'kill' });
      await world().put('responder', { source, detailType, detail });
      const { text } = await world().recorded('Secret Revocation Rejected', detail.metadata.id);
      expect(text).toContain('SelectionEmpty');
      expect(text).toContain('did you mean team-shop?');
    });
  });
}
