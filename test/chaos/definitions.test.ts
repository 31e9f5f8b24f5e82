import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { contentDigest, type SecretContent } from '../../core/secret/definition.ts';
import { adminOf, hosts, steps, withAdmin, world } from '../lambdas/rotation/defined-world.ts';
import { crashAt, intercept } from './intercept.ts';

type Happening =
  /** The configuration is deployed with other fields, another host or another admin. */
  | { kind: 'definition'; content: SecretContent }
  /** A person writes a value by hand. */
  | { kind: 'edit'; team: string }
  /** A rotation; `crash` kills its first try, which is then repeated from the first step. */
  | { kind: 'rotation'; cold: boolean; crash?: { step: number; calls: number; when: 'before' | 'after' } }
  /** The definition cannot be read, or can be again; a host is down, or up again. */
  | { kind: 'outage'; of: 'definition' | 'two.internal'; on: boolean };

const text = fc.constantFrom('orders', 'sales', 'stock');
const happenings = fc.array(
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc
        .record({ host: fc.constantFrom(...hosts), team: text, pool: fc.option(fc.nat({ max: 2 })) })
        .map(
          ({ host, team, pool }): Happening => ({
            kind: 'definition',
            content: {
              fields: { username: 'app', host, team, ...(pool !== null && { pool }) },
              masterarn: adminOf(host),
            },
          }),
        ),
    },
    { weight: 1, arbitrary: text.map((team): Happening => ({ kind: 'edit', team: `${team} by hand` })) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('rotation' as const),
        cold: fc.boolean(),
        crash: fc.record({
          step: fc.nat({ max: 3 }),
          calls: fc.nat({ max: 9 }),
          when: fc.constantFrom('before' as const, 'after' as const),
        }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('outage' as const),
        of: fc.constantFrom('definition' as const, 'two.internal' as const),
        on: fc.boolean(),
      }),
    },
  ),
  { maxLength: 14 },
);

const first: SecretContent = {
  fields: { username: 'app', host: hosts[0], team: 'orders' },
  masterarn: adminOf(hosts[0]),
};

/** Goes on after a leftover that was made for another definition, and was given up: the next rotation makes another one. */
function unlessGivenUp(error: unknown): void {
  if (!(error instanceof RekeyError && error.code === 'PendingOutdated')) throw error;
}

/** A field comes in, its rotation finds the target down, and the field is taken out before that rotation is tried again. */
const fieldThatCameAndWent: Happening[] = [
  { kind: 'definition', content: withAdmin({ team: 'orders' }, hosts[1]) },
  { kind: 'rotation', cold: false, crash: { step: 0, calls: 0, when: 'before' } },
  { kind: 'definition', content: withAdmin({ team: 'orders', pool: 0 }, hosts[1]) },
  { kind: 'outage', of: hosts[1], on: true },
  { kind: 'rotation', cold: false, crash: { step: 0, calls: 0, when: 'before' } },
  { kind: 'definition', content: first },
];

async function play(scene: ReturnType<typeof world>, happening: Happening): Promise<void> {
  switch (happening.kind) {
    case 'definition':
      scene.definition.content = happening.content;
      return;
    case 'edit':
      await scene.edit({ team: happening.team });
      return;
    case 'outage':
      if (happening.of === 'definition') scene.definition.broken = happening.on;
      else if (happening.on) scene.target.down.add(happening.of);
      else scene.target.down.delete(happening.of);
      return;
    case 'rotation': {
      const { crash, cold } = happening;
      const run = scene.begin();
      const faulty = scene.start((part, label) => intercept(part, label, crashAt(crash)));
      for (const step of crash === undefined ? [] : steps.slice(0, crash.step + 1)) {
        const died = await run(step, step === steps[crash?.step ?? 0] ? faulty : scene.start()).then(
          () => false,
          () => true,
        );
        if (died) break;
      }
      // What is down stays so for a while: a rotation may fail, and goes on when it is asked for again.
      const warm = scene.start();
      for (const step of steps) {
        const done = await run(step, cold ? scene.start() : warm).then(
          () => true,
          () => false,
        );
        if (!done) return;
      }
    }
  }
}

describe.each(['single-user', 'alternating-users'] as const)('%s: definitions that change', (strategy) => {
  test('never lock anybody out, are written in the end, and send no password to another host', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (history) => {
        const scene = world(first, { strategy });
        await scene.rotate();
        for (const happening of history) {
          const inUse = scene.current();
          await play(scene, happening);
          // With two users the one in use is never touched, whatever the configuration says.
          if (strategy === 'alternating-users') expect(scene.logsIn(inUse)).toBe(true);
          expect(scene.strayed()).toEqual([]);
        }
        scene.definition.broken = false;
        scene.target.down.clear();
        await scene.resume().catch(unlessGivenUp);
        await scene.rotate();
        await scene.rotate();
        expect(scene.logsIn()).toBe(true);
        const content = scene.definition.content ?? first;
        expect(await scene.tag()).toBe(contentDigest(content));
        const { team, ...rest } = content.fields;
        const { username, ...others } = rest;
        expect(scene.current()).toMatchObject({ ...others, masterarn: content.masterarn });
        expect(['app', 'app_clone']).toContain(scene.current().username);
        // By hand is what came after the definition was written, and nothing else.
        expect([team, ...history.flatMap((one) => (one.kind === 'edit' ? [one.team] : []))]).toContain(
          scene.current().team,
        );
        await scene.edit({ team: 'the last word' });
        await scene.rotate();
        expect(scene.current()).toMatchObject({ ...others, team: 'the last word' });
        expect(scene.strayed()).toEqual([]);
      }),
      { numRuns: 300, examples: [[fieldThatCameAndWent]] },
    );
  });
});
