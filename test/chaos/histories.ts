import fc from 'fast-check';
import { steps } from '../../lambdas/rotation/event.ts';

/** One thing that happens between Secrets Manager and the rotation function. */
export type Happening =
  /** The next step in order; `crash` kills it at that call, `twins` runs that many copies of it at once, at their own `pace`. */
  | {
      kind: 'step';
      crash?: { calls: number; when: 'before' | 'after' };
      twins: number;
      cold: boolean;
      pace: number[];
    }
  /** A step of this or an earlier rotation is delivered once more, late. */
  | { kind: 'redelivery'; back: number; crash?: { calls: number; when: 'before' | 'after' } }
  /** Somebody cancels the rotation in progress; the next one gets a new token. */
  | { kind: 'cancel' }
  /** All steps of the rotation in progress, or of a new one, without faults. */
  | { kind: 'rotation' }
  /** The schedule asks whether an overlap is over, and it is. */
  | { kind: 'retire' };

const crash = fc.record({
  calls: fc.nat({ max: 9 }),
  when: fc.constantFrom('before' as const, 'after' as const),
});

const happenings = [
  {
    weight: 8,
    arbitrary: fc
      .record({
        crash: fc.option(crash, { nil: undefined, freq: 2 }),
        twins: fc.constantFrom(1, 1, 1, 2),
        cold: fc.boolean(),
        pace: fc.array(fc.nat({ max: 6 }), { maxLength: 8 }),
      })
      .map(
        ({ crash: point, ...rest }): Happening => ({
          kind: 'step',
          ...rest,
          ...(point && { crash: point }),
        }),
      ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ back: fc.nat({ max: 8 }), crash: fc.option(crash, { nil: undefined }) }).map(
      ({ back, crash: point }): Happening => ({
        kind: 'redelivery',
        back,
        ...(point && { crash: point }),
      }),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Happening>({ kind: 'cancel' }) },
] as const;
const length = { minLength: 4, maxLength: 24 };

/** Histories as Secrets Manager may produce them: retries, duplicates, late deliveries, crashes, cancellations. */
export const histories = fc.array(fc.oneof(...happenings), length);

/** The same with overlaps that end in between. */
export const overlapHistories = fc.array(
  fc.oneof(
    ...happenings,
    { weight: 6, arbitrary: fc.constant<Happening>({ kind: 'rotation' }) },
    { weight: 4, arbitrary: fc.constant<Happening>({ kind: 'retire' }) },
  ),
  length,
);

export interface Invocation {
  readonly step: (typeof steps)[number];
  readonly token: string;
}

export interface InvocationOptions {
  readonly crash?: { calls: number; when: 'before' | 'after' };
  /** In a new execution environment. */
  readonly cold: boolean;
  /** Turns of the event loop to wait before each call, over and over: how twins overtake each other. */
  readonly pace?: readonly number[];
}

/** What a step that was run ended with: see {@link Stage.invoke}. */
export const outcome = (work: Promise<unknown>): Promise<Error | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );

/** What a history runs against. */
export interface Stage {
  /** RotateSecret: makes the version `token`, labelled AWSPENDING. */
  begin(token: string): void | Promise<void>;
  cancel(): void | Promise<void>;
  /** Runs one step; resolves to why it failed, or to undefined when it succeeded. */
  invoke(invocation: Invocation, options: InvocationOptions): Promise<Error | undefined>;
  /** Ends the overlap; missing where there is none. */
  retire?(): Promise<unknown>;
  /** Waits, before everything is healed, until no run can be alive any more. */
  settle?(): Promise<unknown>;
  /** Called after every happening; throws if an invariant is broken. */
  check(): void | Promise<void>;
}

/**
 * Plays a history, then heals: the rotation in progress is retried from its first step without faults, as
 * Secrets Manager does, and one more rotation follows.
 */
export async function play(history: readonly Happening[], stage: Stage): Promise<void> {
  let tokens = 0;
  let token: string | undefined;
  let next = 0;
  const delivered: Invocation[] = [];
  const begin = async (): Promise<string> => {
    tokens += 1;
    token = `token-${tokens}`;
    next = 0;
    await stage.begin(token);
    return token;
  };
  for (const happening of history) {
    switch (happening.kind) {
      case 'cancel':
        if (token !== undefined) {
          await stage.cancel();
          token = undefined;
        }
        break;
      case 'rotation': {
        const rotation = token ?? (await begin());
        for (const step of steps) {
          const invocation = { step, token: rotation };
          delivered.push(invocation);
          if (!(await stage.invoke(invocation, { cold: false }))) break;
          if (step === 'finishSecret') token = undefined;
          await stage.check();
        }
        next = 0;
        break;
      }
      case 'retire':
        await stage.retire?.();
        break;
      case 'redelivery': {
        const earlier = delivered.at(-1 - happening.back);
        if (earlier !== undefined) {
          await stage.invoke(earlier, { cold: true, ...(happening.crash && { crash: happening.crash }) });
        }
        break;
      }
      case 'step': {
        const current = token ?? (await begin());
        const invocation = { step: steps[next] ?? 'createSecret', token: current };
        delivered.push(invocation);
        const results = await Promise.all(
          Array.from({ length: happening.twins }, (_, twin) =>
            stage.invoke(invocation, {
              cold: happening.cold || twin > 0,
              pace: twin === 0 ? happening.pace : happening.pace.toReversed(),
              ...(happening.crash && twin === 0 && { crash: happening.crash }),
            }),
          ),
        );
        // A step counts as Secrets Manager sees its first delivery; a failed one is retried from the start.
        next = results[0] === undefined ? next + 1 : 0;
        if (next === steps.length) {
          token = undefined;
        }
      }
    }
    await stage.check();
  }
  await stage.settle?.();
  for (const rotation of token === undefined ? ['new'] : ['leftover', 'new']) {
    const healing = rotation === 'leftover' && token !== undefined ? token : await begin();
    for (const step of steps) {
      const failure = await stage.invoke({ step, token: healing }, { cold: true });
      if (failure !== undefined) {
        throw new Error(
          `the ${rotation} rotation cannot be completed by a plain re-run: ${step} fails, ${failure.name}: ${failure.message}`,
          { cause: failure },
        );
      }
      await stage.check();
    }
  }
}
