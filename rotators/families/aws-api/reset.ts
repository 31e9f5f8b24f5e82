import { setTimeout as sleep } from 'node:timers/promises';
import { longestStepSeconds } from '../../../core/deployed/limits.ts';
import { TargetError } from '../../../core/errors/rekey-error.ts';
import type { ProbeResult } from '../../../core/rotator.ts';
import { InvalidState } from './errors.ts';

/** The times for which changes are waited for, in milliseconds. */
export interface Pace {
  /** Time from the begin of a step to its giving up. It is less than the function lives, since an answer may be on its way. */
  readonly budgetMs: number;
  /** Pause between two looks in the first half minute. The first look comes after a third of it, later ones after three times. */
  readonly pollMs: number;
  /**
   * Time for which an accepted change may show neither in the API nor at a login. RDS was seen to take up to a minute and a half
   * before it begins to reset master credentials.
   */
  readonly settleMs: number;
}
export const defaultPace: Pace = {
  budgetMs: (longestStepSeconds - 20) * 1_000,
  pollMs: 3_000,
  settleMs: 120_000,
};

/** A thing that has a password, as its API describes it. */
export interface Resource {
  /** Name for messages: `DB instance "orders"`. */
  readonly what: string;
  readonly status: string;
  /** True while a change was accepted and is not in force yet. */
  readonly changing: boolean;
}

/** Worth of a login for a decision. `unknown`: it cannot be tried, or the answer may be about something else. */
export type Worth = 'accepted' | 'refused' | 'unknown' | TargetError;

/** Judges what an answer to a login is worth. It is an error when there was no answer. */
export function worthOf(result: ProbeResult): Worth {
  if (result.outcome === 'accepted') return 'accepted';
  if (result.outcome === 'unverifiable') return 'unknown';
  if (result.outcome === 'rejected') return 'refused';
  const { code } = result.error;
  const answered = code === 'TargetRefused' || code === 'DatabaseMissing' || code === 'PermissionMissing';
  return answered ? 'unknown' : result.error;
}

/** A change of a password through an API that answers before the change is in force. */
export interface Change<R extends Resource> {
  /** Words for messages: `the reset of its password`. */
  readonly doing: string;
  /** Time of giving up, in milliseconds since 1970. */
  readonly deadline: number;
  readonly pace: Pace;
  look(before: R): Promise<R>;
  /** Asks for the change. @throws InvalidState when the resource takes no change now */
  ask(now: R): Promise<R>;
  /** Tries the password that is to be. */
  login(): Promise<Worth>;
  /** True if the API's word is taken when the server cannot be reached. */
  readonly blind: boolean;
}

/** Number of refusals of the new password, once the API reports it as set, that prove somebody else's change. */
const patience = 3;

/** Looks again after a while. @throws TargetError `TargetTimeout` when the time does not reach that far */
async function lookAgain<R extends Resource>(
  now: R,
  round: number,
  { deadline, doing, pace: { pollMs }, look }: Pick<Change<R>, 'deadline' | 'doing' | 'pace' | 'look'>,
): Promise<R> {
  const waitMs = round === 0 ? pollMs / 3 : round <= 10 ? pollMs : 3 * pollMs;
  if (Date.now() + waitMs > deadline) {
    throw new TargetError(
      'TargetTimeout',
      `${now.what}, which is "${now.status}", did not finish ${doing} in time; run the same step again, it goes on from there`,
    );
  }
  await sleep(waitMs);
  return await look(now);
}

/** Waits for the end of a change that is under way, whoever asked for it. @throws TargetError */
export async function settled<R extends Resource>(
  resource: R,
  change: Pick<Change<R>, 'deadline' | 'doing' | 'pace' | 'look'>,
): Promise<R> {
  let now = resource;
  for (let round = 0; now.changing; round += 1) now = await lookAgain(now, round, change);
  return now;
}

/**
 * Changes a password through the API and waits until it is in force. It is in force when the API shows no change any more, and a
 * login with it succeeds where one can be tried. A change that is under way is waited for. The password is asked for only if that
 * change did not set it: a step that is tried again goes on where an earlier try ended.
 * @throws TargetError
 */
export async function bringAbout<R extends Resource>(resource: R, change: Change<R>): Promise<void> {
  const { pace } = change;
  let now = resource;
  let askedAt: number | undefined;
  let changingAt = 0;
  let refusals = 0;
  let fault: TargetError | undefined;
  for (let round = 0; ; round += 1) {
    if (now.changing) {
      changingAt = Date.now();
    } else {
      // Nothing was set meanwhile: each login that is refused counts against the user somewhere.
      const untouched = askedAt === undefined && changingAt === 0;
      const login = untouched ? 'refused' : await change.login();
      if (login === 'accepted') return;
      fault = login instanceof TargetError ? login : undefined;
      if (askedAt === undefined) {
        const answer = await ask(now, change);
        now = answer.resource;
        // Refused because another change is under way: that one first.
        if (answer.asked) askedAt = Date.now();
        if (now.changing) changingAt = Date.now();
      } else {
        const settled = Date.now() - Math.max(askedAt, changingAt) >= pace.settleMs;
        const over = changingAt >= askedAt || settled;
        if (over && (login === 'unknown' || (fault !== undefined && change.blind))) return;
        refusals += settled && login === 'refused' ? 1 : 0;
        if (refusals === patience) throw overtaken(now);
      }
    }
    try {
      now = await lookAgain(now, round, change);
    } catch (error) {
      // What keeps the login from being tried says more than that time ran out.
      throw error instanceof TargetError && error.code === 'TargetTimeout' && fault !== undefined
        ? fault
        : error;
    }
  }
}

const overtaken = ({ what }: Resource): TargetError =>
  new TargetError(
    'TargetTimeout',
    `${what} was changed, but does not take the new password: another change came in between; run the same step again`,
  );

async function ask<R extends Resource>(
  resource: R,
  change: Change<R>,
): Promise<{ readonly resource: R; readonly asked: boolean }> {
  try {
    return { resource: await change.ask(resource), asked: true };
  } catch (error) {
    if (!(error instanceof InvalidState)) throw error;
    const now = await change.look(resource);
    if (now.changing || !neverPasses.test(now.status)) return { resource: now, asked: false };
    throw new InvalidState(
      `${now.what} is "${now.status}" and takes no new password now; try again when that is over`,
    );
  }
}

/**
 * States that end only when a person does something. In all others, such as modifying, backing-up or rebooting, a database will
 * take a change later.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
 */
const neverPasses =
  /^(?:stopp|delet|failed|creating-failed|inaccessible|incompatible|insufficient|restore-error|storage-full|paus|hardware-failure)/i;
