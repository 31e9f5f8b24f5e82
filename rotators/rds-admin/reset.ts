import { setTimeout as sleep } from 'node:timers/promises';
import { TargetError } from '../../core/errors.ts';
import type { TargetContext } from '../rotator.ts';
import { type Database, type DatabaseApi, InvalidState } from './api.ts';
import { tryLogin } from './login.ts';
import type { MasterSecret } from './schema.ts';

/** How long resets are waited for, in milliseconds. */
export interface Pace {
  /** From the begin of a step to its giving up; a function lives for 60 s, and an answer may be on its way. */
  readonly budgetMs: number;
  /** Between two looks; the first comes after a third of it. */
  readonly pollMs: number;
  /** After which a reset that the API never showed as under way is taken for done, where no login can tell. */
  readonly settleMs: number;
}
export const pace: Pace = { budgetMs: 42_000, pollMs: 3_000, settleMs: 10_000 };

/** What a reset works with. */
export interface Tools {
  readonly api: DatabaseApi;
  readonly pace: Pace;
}

/** Refusals of the new password after the API reported it as set, before somebody else's change is the explanation. */
const patience = 3;

const notInTime = ({ what, status }: Database, doing: string): TargetError =>
  new TargetError(
    'TargetTimeout',
    `${what}, which is "${status}", did not finish ${doing} in time; run the same step again, it goes on from there`,
  );

/** Looks again after a while. @throws TargetError `TargetTimeout` when the budget does not reach that far */
async function lookAgain(
  database: Database,
  wait: { round: number; deadline: number; doing: string },
  { api, pace: { pollMs } }: Tools,
  context: TargetContext,
): Promise<Database> {
  const waitMs = wait.round === 0 ? pollMs / 3 : pollMs;
  if (Date.now() + waitMs > wait.deadline) throw notInTime(database, wait.doing);
  await sleep(waitMs);
  return await api.find(database.kind, database.id, context);
}

/** Waits for the end of a reset that is under way, whoever asked for it. @throws TargetError */
export async function settled(
  database: Database,
  deadline: number,
  tools: Tools,
  context: TargetContext,
): Promise<Database> {
  let now = database;
  for (let round = 0; now.resetting; round += 1) {
    now = await lookAgain(
      now,
      { round, deadline, doing: 'an earlier reset of its password' },
      tools,
      context,
    );
  }
  return now;
}

/**
 * Sets the master password through the API and waits until it is in force: until the API shows no reset any more, and a
 * login with it succeeds where there is a driver. A reset that is under way is waited for, and the password is only
 * asked for if it was not that which was set: a step that is tried again goes on where an earlier try ended.
 *
 * @param next - the secret with the password to be
 * @param options.blind - takes the API's word when the server cannot be reached
 * @throws TargetError
 */
export async function reset(
  database: Database,
  next: MasterSecret,
  options: { readonly deadline: number; readonly blind: boolean },
  tools: Tools,
  context: TargetContext,
): Promise<void> {
  const { deadline, blind } = options;
  let now = database;
  let askedAt: number | undefined;
  let shown = false;
  let refusals = 0;
  let fault: TargetError | undefined;
  for (let round = 0; ; round += 1) {
    if (now.resetting) {
      shown ||= askedAt !== undefined;
    } else {
      const login = round === 0 ? 'refused' : await tryLogin(next, context);
      if (login === 'accepted') return;
      fault = login instanceof TargetError ? login : undefined;
      if (askedAt === undefined) {
        const answer = await ask(now, next.password, tools, context);
        now = answer.database;
        // Refused because another reset is under way: that one first.
        if (answer.asked) askedAt = Date.now();
        shown = answer.asked && now.resetting;
      } else {
        const over = shown || Date.now() - askedAt >= tools.pace.settleMs;
        if (over && (login === 'unknown' || (fault !== undefined && blind))) return;
        refusals += over && login === 'refused' ? 1 : 0;
        if (refusals === patience) {
          throw new TargetError(
            'TargetTimeout',
            `${now.what} was reset, but does not take the new password: another change came in between; run the same step again`,
          );
        }
      }
    }
    try {
      now = await lookAgain(now, { round, deadline, doing: 'the reset of its password' }, tools, context);
    } catch (error) {
      // What keeps the login from being tried says more than that time ran out.
      throw error instanceof TargetError && error.code === 'TargetTimeout' && fault !== undefined
        ? fault
        : error;
    }
  }
}

async function ask(
  database: Database,
  password: string,
  { api }: Tools,
  context: TargetContext,
): Promise<{ readonly database: Database; readonly asked: boolean }> {
  try {
    return { database: await api.setPassword(database, password, context), asked: true };
  } catch (error) {
    if (!(error instanceof InvalidState)) throw error;
    const now = await api.find(database.kind, database.id, context);
    if (now.resetting) return { database: now, asked: false };
    throw new InvalidState(
      `${now.what} is "${now.status}" and takes no new master password now; try again when it is "available"`,
    );
  }
}
