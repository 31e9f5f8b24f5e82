import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stages } from '../../../core/secret/secret.ts';
import { propertyRuns } from '../../property-runs.ts';
import { DualTarget, dualRotator } from '../rotation/dual-target.ts';
import { longestLag } from '../rotation/stale-store.ts';
import { revoke } from './revoke.ts';
import { secretArn, World } from './world.ts';

interface Credential {
  readonly username: string;
  readonly password: string;
}

/** What happened to the secret shortly before it was revoked. */
const pasts = fc.array(fc.constantFrom('rotated', 'begun', 'proposed', 'cancelled'), { maxLength: 4 });
const requests = fc.record({
  mode: fc.constantFrom('kill', 'replace'),
  /** Which of the versions are named; undefined: none, so that all leaked. */
  named: fc.option(fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 2 }), { nil: undefined }),
});
/** How many writes the answers of Secrets Manager lack. */
const lags = fc.array(fc.nat({ max: longestLag }), { minLength: 1, maxLength: 30 });

async function live(world: World, past: readonly string[]): Promise<void> {
  for (const [index, what] of past.entries()) {
    const token = `version-${index}`;
    const unfinished = world.store.peek(secretArn, stages.pending);
    if (what === 'cancelled' || what === 'rotated') {
      world.store.removePending(secretArn);
      world.seen.note();
    }
    if (what === 'cancelled') continue;
    if (what === 'rotated') {
      world.begin(secretArn, token);
      await world.runRotation(secretArn, token);
    } else if (
      unfinished === undefined ||
      unfinished.versionId === world.store.peek(secretArn, stages.current)?.versionId
    ) {
      world.begin(secretArn, token);
      if (what === 'proposed') {
        await world.seen.putPending(
          secretArn,
          token,
          JSON.stringify({ username: 'app', password: `proposed ${index}` }),
        );
      }
    }
  }
}

const kinds = {
  'one password': (old: readonly number[]) => {
    const world = new World('leaked-password', old);
    return { world, accepts: async (credential: Credential) => world.target.accepts(credential) };
  },
  'two passwords': (old: readonly number[]) => {
    const world = new World('leaked-password', old);
    const target = new DualTarget();
    Object.assign(world.rotator, dualRotator(target));
    world.strategy = 'dual-credential';
    const accepts = async (credential: Credential) => {
      if ((await target.count('app')) === 0 && !started) await target.set('app', ['leaked-password']);
      started = true;
      return target.accepts(credential);
    };
    let started = false;
    return { world, accepts };
  },
};

describe.each(Object.entries(kinds))('%s: answers of Secrets Manager that are old', (_kind, make) => {
  test('never cut off the credential in use, and never make a revocation succeed whose leak still works', async () => {
    let stale = 0;
    await fc.assert(
      fc.asyncProperty(pasts, requests, lags, async (past, { mode, named }, old) => {
        const { world, accepts } = make(old);
        await accepts({ username: 'app', password: '' });
        await live(world, past);
        const parsed = (value: string | undefined): Credential => JSON.parse(value ?? '{}');
        const current = () => parsed(world.store.peek(secretArn, stages.current)?.value);
        expect(await accepts(current())).toBe(true);

        const kept = (await world.store.listVersions(secretArn)).map(({ versionId }) => versionId);
        const versions = named?.map((index) => kept[index % kept.length] ?? 'v1');
        const values = await Promise.all(
          (versions ?? kept).map((versionId) => world.store.read(secretArn, { versionId })),
        );
        const leaked = values.flatMap((version) => (version === undefined ? [] : [parsed(version.value)]));
        const { status, path } = await revoke(
          world,
          { mode, ...(versions !== undefined && { versions }) },
          async ({ newVersionId }) => {
            // From the rotation on, and at any time where the old one is to go last, consumers have a login.
            if (newVersionId !== undefined || mode === 'replace') expect(await accepts(current())).toBe(true);
          },
        );
        expect(await accepts(current())).toBe(true);
        if (status === 'SUCCEEDED' && path.at(-1) === 'Revoked') {
          for (const credential of leaked) expect(await accepts(credential)).toBe(false);
        }
        // A version that never had a value can be neither tried nor used.
        expect(status === 'SUCCEEDED' || leaked.length < values.length).toBe(true);
        stale += world.seen.staleAnswers > 3 ? 1 : 0;
      }),
      { numRuns: propertyRuns(500) },
    );
    expect(stale).toBeGreaterThan(propertyRuns(500) * 0.6);
  });
});
