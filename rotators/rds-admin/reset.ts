import type { TargetContext } from '../../core/rotator.ts';
import { bringAbout, type Change, type Pace, settled } from '../families/aws-api/reset.ts';
import type { Database, DatabaseApi } from './api.ts';
import { tryLogin } from './login.ts';
import type { MasterSecret } from './schema.ts';

/** The tools of a reset. */
export interface Tools {
  readonly api: DatabaseApi;
  readonly pace: Pace;
}

const waiting = ({ api, pace }: Tools, deadline: number, context: TargetContext) => ({
  doing: 'the reset of its password',
  deadline,
  pace,
  look: ({ kind, id }: Database) => api.find(kind, id, context),
});

/** Waits for the end of a reset that is under way, whoever asked for it. @throws TargetError */
export const resetOver = (
  database: Database,
  deadline: number,
  tools: Tools,
  context: TargetContext,
): Promise<Database> => settled(database, waiting(tools, deadline, context));

/**
 * Makes the password of `next` the master user's, and waits until it is in force.
 * @param options.blind - takes the API's word when the server cannot be reached
 * @param options.unsent - takes the API's word in any case, and sends the password to no server
 * @throws TargetError
 */
export async function reset(
  database: Database,
  next: MasterSecret,
  options: Pick<Change<Database>, 'deadline' | 'blind'> & { readonly unsent?: boolean },
  tools: Tools,
  context: TargetContext,
): Promise<void> {
  await bringAbout(database, {
    ...waiting(tools, options.deadline, context),
    blind: options.blind,
    ask: (now) => tools.api.setPassword(now, next.password, context),
    login: async () => (options.unsent ? 'unknown' : await tryLogin(next, context)),
  });
}
