import { setTimeout as sleep } from 'node:timers/promises';
import {
  afterFailure,
  afterSuccess,
  awaitsSuccess,
  type BrakedRotation,
  type BrakeRules,
  type BrakeState,
  type BrakeStore,
  beginRotation,
} from '../../core/brake.ts';
import { isRevocationToken } from '../../core/deployed/revocation-token.ts';
import { RekeyError, SecretError } from '../../core/errors/rekey-error.ts';
import type { WithWait } from '../../core/pace/patience.ts';
import type { Clock, Random } from '../../core/ports.ts';

/** The dependencies of a {@link FunctionBrake}. */
export interface BrakeDependencies extends WithWait {
  readonly store: BrakeStore;
  readonly rules: BrakeRules;
  readonly clock: Clock;
  readonly random: Pick<Random, 'integer'>;
}

/** The outcome of one question to the brake, or of one word to it. */
export interface BrakeOutcome {
  /** The state with which this call has engaged the brake; to be recorded. */
  readonly braked?: BrakeState;
  /** Error for which the brake could not be asked or told; the rotation goes on. */
  readonly unreachable?: unknown;
}

/** Longest wait of a rotation for the canary, with the first and the longest pause between two looks. */
const waitMs = { most: 20_000, first: 500, longest: 4_000 };
/** Part of a step's time that may be waited. */
const waitShare = 1 / 3;
/** Time for which a process passes over a brake that did not answer. Each question could cost seconds. */
const silenceMs = 60_000;
/** Number of times that a change is tried again because another one was faster. */
const mostRaces = 10;
/** Number of rotations that a process remembers. */
const mostRemembered = 100;

/**
 * Errors that are left out of the count, since they say nothing of the function. The function kept the rotation from beginning,
 * or was asked about a version that does not wait for it. Who may invoke the function could otherwise engage its brake.
 */
const uncounted: ReadonlySet<string> = new Set([
  ...['RotationPaused', 'SecretExpired', 'RotationBraked', 'CanaryUnfinished'],
  ...['RotationDisabled', 'VersionUnknown', 'VersionNotPending'],
]);

/**
 * Asks the brake of this function before a rotation begins, and tells it how rotations end. A success is told only where it
 * changes something, so that a rotation costs one read. A brake that does not answer holds nothing up. A rotation of a revocation
 * neither asks nor tells.
 */
export class FunctionBrake {
  readonly #deps: BrakeDependencies;
  /** Rotations that began here, and whether their success is to be told. */
  readonly #tell = new Map<string, boolean>();
  #silentUntil = 0;

  constructor(dependencies: BrakeDependencies) {
    this.#deps = dependencies;
  }

  /**
   * Lets a rotation begin, after the canary where there is one, or refuses it.
   * @param stepMs - what is left of the step's time
   * @throws SecretError `RotationBraked` | `CanaryUnfinished`
   */
  async requireReleased(
    rotation: BrakedRotation,
    { name, stepMs, onBraked }: RequireOptions,
  ): Promise<BrakeOutcome> {
    const { clock, random, rules, wait = sleep } = this.#deps;
    const deadline = clock.now().getTime() + Math.min(waitMs.most, stepMs * waitShare);
    let waited = false;
    for (let pauseMs = waitMs.first; ; pauseMs = Math.min(2 * pauseMs, waitMs.longest)) {
      const asked = await this.#ask(rotation).catch((error: unknown) => unreachable(error));
      if (asked.may === 'unknown') {
        // Who waits knows of a canary, and believes that rather than no answer.
        if (!waited) return this.#silenced(asked.error);
      } else if (asked.may === 'begin') {
        return {};
      } else if (asked.may === 'not begin') {
        if (asked.next !== undefined) await onBraked(asked.next);
        throw new SecretError(
          'RotationBraked',
          `the rotation of ${name} does not begin: since ${asked.state.brakedAt} the brake of ${rules.functionName} is engaged, after ${asked.state.failed.length} secrets failed in a row (${asked.state.failed.join(', ')}); remove the cause, then \`rekey resume\` them or deploy other code`,
        );
      }
      waited = true;
      const pause = pauseMs / 2 + random.integer(pauseMs);
      if (clock.now().getTime() + pause > deadline) {
        throw new SecretError(
          'CanaryUnfinished',
          `the rotation of ${name} does not begin: the code of ${rules.functionName} is new, and the first rotation by it has not ended yet`,
        );
      }
      await wait(pause);
    }
  }

  /** Tells the brake of a rotation that has succeeded. */
  async succeeded(rotation: BrakedRotation): Promise<BrakeOutcome> {
    const known = this.#tell.get(rotation.token);
    this.#tell.delete(rotation.token);
    if (known === false || isRevocationToken(rotation.token)) return {};
    return await this.#change((state) => afterSuccess(state, rotation, this.#deps.rules));
  }

  /**
   * Tells the brake of a step that has failed.
   * @param lasting - false where the same rotation may still succeed by itself
   */
  async failed(
    rotation: BrakedRotation,
    { error, lasting }: { readonly error: unknown; readonly lasting: boolean },
  ): Promise<BrakeOutcome> {
    this.#tell.delete(rotation.token);
    const refused = error instanceof RekeyError && uncounted.has(error.code);
    if (refused || isRevocationToken(rotation.token)) return {};
    const { rules, clock } = this.#deps;
    return await this.#change((state) =>
      afterFailure(state, rotation, { counts: lasting, rules, now: clock.now() }),
    );
  }

  /** Asks whether a rotation may begin, and stores what follows from that. */
  async #ask(rotation: BrakedRotation) {
    const { store, rules, clock } = this.#deps;
    if (clock.now().getTime() < this.#silentUntil) return unreachable(undefined);
    for (let race = 0; race < mostRaces; race += 1) {
      const { version, state } = await store.read();
      const verdict = beginRotation(state, rotation, rules, clock.now());
      if (verdict.next !== undefined && !(await store.replace(version, verdict.next))) continue;
      if (verdict.may === 'begin') this.#remember(rotation.token, awaitsSuccess(state, rules));
      return verdict;
    }
    return contended();
  }

  #remember(token: string, tell: boolean): void {
    if (this.#tell.size >= mostRemembered) this.#tell.clear();
    this.#tell.set(token, tell);
  }

  async #change(change: (state: BrakeState | undefined) => BrakeState | undefined): Promise<BrakeOutcome> {
    const { store, clock } = this.#deps;
    if (clock.now().getTime() < this.#silentUntil) return {};
    try {
      for (let race = 0; race < mostRaces; race += 1) {
        const { version, state } = await store.read();
        const next = change(state);
        if (next === undefined) return {};
        if (!(await store.replace(version, next))) continue;
        return next.brakedAt !== undefined && state?.brakedAt === undefined ? { braked: next } : {};
      }
      return contended();
    } catch (error) {
      return this.#silenced(error);
    }
  }

  #silenced(error: unknown): BrakeOutcome {
    if (error === undefined) return {};
    this.#silentUntil = this.#deps.clock.now().getTime() + silenceMs;
    return { unreachable: error };
  }
}

/** The rest of a question to the brake, besides the rotation. */
export interface RequireOptions {
  /** The secret's name, for the error. */
  readonly name: string;
  readonly stepMs: number;
  /** Records that this call has engaged the brake. */
  readonly onBraked: (state: BrakeState) => Promise<void>;
}

const unreachable = (error: unknown) => ({ may: 'unknown', error }) as const;

function contended(): never {
  throw new RekeyError(
    'ResourceBusy',
    'the state of the brake changed each time before it could be replaced; nothing is wrong with it',
  );
}
