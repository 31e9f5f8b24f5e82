import { setTimeout as sleep } from 'node:timers/promises';
import { usualStepSeconds } from '../../core/deployed/limits.ts';
import {
  type LaterTurn,
  mostLookups,
  type RotateOutcome,
  type WorkflowInput,
} from '../../core/deployed/revocation-state.ts';
import { revocationToken } from '../../core/deployed/revocation-token.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { Clock, DefinitionStore, RotationControl, SecretStore } from '../../core/ports.ts';
import { stages, versionWith } from '../../core/secret/secret.ts';
import { awaitTurn, type Pacing, takeTurn } from './turn.ts';

export interface RotateDependencies {
  readonly store: Pick<SecretStore, 'describe'>;
  readonly rotation: RotationControl;
  readonly clock: Clock;
  /**
   * Longest wait for the new version to be current, in milliseconds. The workflow comes back after that: where few functions may
   * run at once, one that waits takes the place of one that would do the work.
   * @default 6 seconds; where a step may take longer than usual, as long as that
   */
  readonly patienceMs?: number;
  /** Waits between two looks. @default really waits */
  readonly wait?: (ms: number) => Promise<unknown>;
}

/** The dependencies of the workflow's step. */
export interface RotateStepDependencies extends RotateDependencies {
  readonly definitions: Pick<DefinitionStore, 'find'>;
  /** The pace that all revocations of an environment share. @default - none */
  readonly pacing?: Pacing;
}

/** Pause between two lookups of a function that is gone. A deploy has written the definition before it removes one. */
const lookupPauseMs = 2_000;

/**
 * Replaces the credential for the workflow, and names the function that proves it.
 *
 * A deploy may replace that function at any moment. Where the workflow finds none by the name that it has, it comes back here:
 * the rotation is done, so the name alone is looked up.
 *
 * A rotation of a plan waits for its turn: for moments here, and for longer by what is returned. A revocation of one secret takes
 * a turn and waits for none.
 *
 * @throws RekeyError `ContainmentFunctionMissing` when the definition goes on naming a function that is gone
 * @throws whatever {@link rotateForRevocation} throws
 */
export async function rotateStep(
  input: WorkflowInput,
  dependencies: RotateStepDependencies,
): Promise<RotateOutcome | LaterTurn> {
  const { secretArn, secretName, rotated } = input;
  const { definitions, pacing, wait = sleep } = dependencies;
  const lookups = (rotated?.lookups ?? 0) + 1;
  if (lookups > mostLookups) {
    throw new RekeyError(
      'ContainmentFunctionMissing',
      `the definition of ${secretName} names a containment function that does not exist; bring the deploy to its end, then send the revocation again`,
    );
  }
  if (lookups > 1) await wait(lookupPauseMs);
  let counted: Promise<unknown> | undefined;
  const turn = async () => {
    if (pacing === undefined) return undefined;
    if (input.partOf !== undefined)
      return await awaitTurn(rotated?.turnAt, pacing, { ...dependencies, wait });
    counted = takeTurn(pacing, dependencies.clock);
    return undefined;
  };
  const outcome = await rotateForRevocation(input, dependencies, turn).finally(() => counted);
  if ('turnAt' in outcome) return { ...outcome, lookups: lookups - 1 };
  // What the intake knew still serves where the definition cannot be read: an emergency does not wait for it.
  const definition = await definitions.find(secretArn).catch(() => undefined);
  const containmentFunction = definition?.containmentFunction ?? input.containmentFunction;
  return { ...outcome, containmentFunction, lookups };
}

const pollMs = 200;
/** Pause between two looks where a step may take minutes. */
const slowPollMs = 2_000;
const usualPatienceMs = 6_000;
/** Time after which a rotation is asked for again: one whose function failed is then tried again. */
const askAgainMs = 10_000;
/** The same time where a step may take minutes: one that still runs would be started once more beside it. */
const slowAskAgainMs = 120_000;
/** Time for which the labels are looked at after a refusal before it counts. */
const settlesAfterMs = 3_000;

/**
 * Rotates a secret for a revocation and waits until the version it asked for is current.
 *
 * An earlier rotation that is still open is first brought to its end, which is what Secrets Manager insists on. Its version may
 * be among those that leaked, or have been read since, so this one still rotates after it.
 *
 * @param turn - called before the rotation is asked for the first time; what it returns is returned, and nothing is asked for
 * @returns the version, and when it was first seen to be current
 * @throws RekeyError `RotationPending` when it takes longer; the same call again goes on waiting
 * @throws SecretError `SecretMissing` | `SecretAccessDenied` | `RotationDisabled` | `RotationFunctionDenied`
 */
export async function rotateForRevocation<Later extends object = never>(
  {
    requestId,
    secretArn,
    secretName,
    stepSeconds = usualStepSeconds,
  }: Pick<WorkflowInput, 'requestId' | 'secretArn' | 'secretName'> &
    Partial<Pick<WorkflowInput, 'stepSeconds'>>,
  dependencies: RotateDependencies,
  turn?: () => Promise<Later | undefined>,
): Promise<Pick<RotateOutcome, 'newVersionId' | 'rotatedAt'> | Later> {
  const { store, rotation, clock, wait = sleep } = dependencies;
  const slow = stepSeconds > usualStepSeconds;
  const { patienceMs = slow ? stepSeconds * 1_000 : usualPatienceMs } = dependencies;
  const begun = clock.now().getTime();
  // An ordinary rotation is seen at once, also of a type that may take long.
  const pauseMs = () => (slow && clock.now().getTime() - begun > usualPatienceMs ? slowPollMs : pollMs);
  const token = revocationToken(requestId, secretArn);
  let deadline = begun + patienceMs;
  let accepted = false;
  let askedAt = 0;
  let refusal: unknown;
  for (;;) {
    const { versions } = await store.describe(secretArn);
    const now = clock.now();
    const labels = versions[token] ?? [];
    // A later rotation may have made this version the previous one meanwhile.
    if (labels.includes(stages.current) || labels.includes(stages.previous)) {
      return { newVersionId: token, rotatedAt: now.toISOString() };
    }
    if (refusal !== undefined && now.getTime() - askedAt >= settlesAfterMs) throw refusal;
    const pending = versionWith({ versions }, stages.pending);
    const free = pending === undefined || versions[pending]?.includes(stages.current);
    if (
      refusal === undefined &&
      ((free && !accepted) || now.getTime() - askedAt >= (slow ? slowAskAgainMs : askAgainMs))
    ) {
      // A version that is there was asked for by an earlier try, which has taken its turn.
      if (askedAt === 0 && versions[token] === undefined) {
        const later = await turn?.();
        if (later !== undefined) return later;
        deadline += clock.now().getTime() - now.getTime();
      }
      try {
        accepted = (await rotation.rotate(secretArn, token)) === 'started';
      } catch (error) {
        // An earlier try of this step may have done it all, and the labels not show it yet.
        refusal = error;
      }
      askedAt = clock.now().getTime();
    }
    if (clock.now().getTime() + pauseMs() > deadline) {
      throw new RekeyError(
        'RotationPending',
        `the rotation of ${secretName} to version ${token} has not ended within ${patienceMs} ms${pending !== undefined && pending !== token ? `; version ${pending} of an earlier rotation is still pending` : ''}`,
      );
    }
    await wait(pauseMs());
  }
}
