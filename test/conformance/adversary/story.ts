import { expect } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../../adapters/system.ts';
import type { Rotator, TargetContext } from '../../../core/rotator.ts';
import type { Assignment } from '../../../core/secret/definition.ts';
import type { Strategy } from '../../../core/secret/secret.ts';
import { containLeaks } from '../../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../../lambdas/revocation/proof.ts';
import { outcome } from '../../chaos/histories.ts';
import { Rotations } from '../../chaos/secrets-manager.ts';
import { engine, MemoryBus, noDatabases } from '../../lambdas/rotation/engine.ts';
import { MemoryStore } from '../../lambdas/rotation/memory-store.ts';
import { propertyRuns } from '../../property-runs.ts';

export type Secret = Record<string, unknown>;

/** What he does, or the deployment, between two looks. `F` says which keys of the JSON he edits, and to what. */
export type Move<F> =
  | { kind: 'step' }
  | { kind: 'rotation' }
  | { kind: 'revocation'; rotate: boolean }
  | Write<F>;
type Label = 'AWSCURRENT' | 'AWSPENDING' | 'AWSPREVIOUS' | 'his-own';
export interface Write<F> {
  readonly kind: 'write';
  readonly label: Label;
  readonly fields: F;
}

/** Histories of moves: he writes more often than anything else happens. */
export const movesOf = <F>(fields: fc.Arbitrary<F>): fc.Arbitrary<Move<F>[]> =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<Move<F>>({ kind: 'step' }) },
      { weight: 3, arbitrary: fc.constant<Move<F>>({ kind: 'rotation' }) },
      { weight: 2, arbitrary: fc.boolean().map((rotate): Move<F> => ({ kind: 'revocation', rotate })) },
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('write' as const),
          label: fc.constantFrom<Label[]>('AWSCURRENT', 'AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS', 'his-own'),
          fields,
        }),
      },
    ),
    { minLength: 2, maxLength: 9 },
  );

/** One of his writes, for histories that were found by hand. */
export const write = <F>(fields: F, label: Label = 'AWSCURRENT'): Move<F> => ({
  kind: 'write',
  label,
  fields,
});
export const rotation = { kind: 'rotation' } as const;
export const step = { kind: 'step' } as const;
export const revocation = { kind: 'revocation', rotate: true } as const;

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf';
export const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-GhIjKl';

/** What is known at a look: every version that is kept, and the guesses of his. */
export interface Known {
  readonly versions: readonly Secret[];
  readonly guesses: ReadonlySet<string>;
}

/** A secret of some type, with those whom nothing of it may reach, at the beginning of a story. */
export interface Plot<F> {
  readonly rotator: Rotator<Secret>;
  readonly context: Omit<TargetContext, 'finding'>;
  /** The secret as its owner made it, which he knows but for what is secret in it. */
  readonly first: Secret;
  /** The secret that the owner's `masterarn` names. @default there is none */
  readonly admin?: Secret;
  /** What the deployment may say of the secret's user and place. */
  readonly identity: Assignment;
  /** The keys that he edits; those that are `undefined` go. */
  edit(fields: F): Secret;
  /** What he puts in the place of the credential, another one each time. */
  guess(serial: number): Secret & { readonly guess: string };
  /** What has gone wrong by now, in words. */
  look(known: Known): Promise<string[]>;
  /** The same, once the story is over. @default nothing more */
  lastLook?(known: Known): Promise<string[]>;
  end(): Promise<void>;
}

export interface Setting {
  readonly strategy: Strategy;
  /** Whether the deployment names the user and the place of the secret. */
  readonly isNamed: boolean;
}

/** Plays a history. @returns what has gone wrong, in words */
async function play<F>(
  history: readonly Move<F>[],
  plot: Plot<F>,
  { strategy, isNamed }: Setting,
): Promise<readonly string[]> {
  const { rotator, context: target, identity } = plot;
  const first: Secret = { ...plot.first, ...(plot.admin && { masterarn: adminArn }) };
  const store = new MemoryStore();
  store.create(arn, JSON.stringify(first));
  if (plot.admin) store.create(adminArn, JSON.stringify(plot.admin));
  const assigned = async () => (isNamed ? identity : undefined);
  const definitions = { find: async () => (isNamed ? ({ identity } as never) : undefined) };
  const guesses = new Set<string>();
  let made = 0;

  const put = ({ label, fields }: Write<F>) => {
    made += 1;
    // He reads nothing: what he keeps is what he knew when the secret was made, or wrote himself; never a password.
    const { guess, ...credential } = plot.guess(made);
    guesses.add(guess);
    const value: Secret = { ...first, ...credential, ...plot.edit(fields) };
    const id = `his-${made}`;
    const holder = store.peek(arn, 'AWSCURRENT')?.versionId ?? '';
    store.put(arn, id, JSON.stringify(value));
    if (label === 'AWSCURRENT') return;
    store.label(arn, 'AWSCURRENT', holder);
    store.label(arn, label, id);
  };
  const rotations = new Rotations({
    arn,
    store,
    invoke: ({ step, token }) => {
      const lifecycle = engine({ rotator, store, strategy, definitions, target });
      return outcome(lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token }));
    },
  });
  const revoke = async (rotate: boolean) => {
    const input = {
      requestId: 'r1',
      correlationId: 'r1',
      secretArn: arn,
      secretName: 'app',
      named: false,
      versions: store.ids(arn),
      assigned: isNamed ? identity : null,
    };
    const dependencies = {
      rotator,
      strategy,
      store,
      bus: new MemoryBus(),
      databases: noDatabases,
      assigned,
      target,
      origin: {
        source: 'rekey.containment' as const,
        environment: 'test',
        actor: 'test',
        random: systemRandom,
        clock: { now: () => new Date() },
      },
      wait: async () => undefined,
    };
    await containLeaks({ ...input, action: 'contain' }, dependencies).catch(() => undefined);
    if (!rotate) return;
    await rotations.rotation(undefined);
    const newVersionId = store.peek(arn, 'AWSCURRENT')?.versionId;
    const after = { ...input, newVersionId, rotatedAt: new Date().toISOString() };
    await containLeaks({ ...after, action: 'contain' }, dependencies).catch(() => undefined);
    await verifyLeaks({ ...after, action: 'verify' }, dependencies).catch(() => undefined);
  };

  const versions = (): Secret[] => store.values(arn).map((text) => JSON.parse(text));
  try {
    for (const [index, move] of history.entries()) {
      if (move.kind === 'write') {
        put(move);
        continue;
      }
      if (move.kind === 'step') await rotations.step(undefined);
      else if (move.kind === 'rotation') await rotations.rotation(undefined);
      else await revoke(move.rotate);
      const faults = await plot.look({ versions: versions(), guesses });
      if (faults.length > 0) return faults.map((fault) => `${index}. ${JSON.stringify(move)}: ${fault}`);
    }
    return (await plot.lastLook?.({ versions: versions(), guesses })) ?? [];
  } finally {
    await plot.end();
  }
}

/**
 * Asserts that he gains nothing, whatever the history.
 * @param from.found - histories that were found by hand, played first
 */
export async function assertGainsNothing<F>(
  from: {
    readonly moves: fc.Arbitrary<Move<F>[]>;
    readonly found: readonly (readonly Move<F>[])[];
    readonly runs: number;
    plot(): Promise<Plot<F>>;
  },
  setting: Setting,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(from.moves, async (history) => {
      expect(await play(history, await from.plot(), setting)).toEqual([]);
    }),
    {
      numRuns: propertyRuns(from.runs),
      ...(process.env.REKEY_SEED && { seed: Number(process.env.REKEY_SEED) }),
      examples: from.found.map((history) => [[...history]]),
    },
  );
}
