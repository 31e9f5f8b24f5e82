import {
  adminNotes,
  adminOf,
  type ByHand,
  heirOf,
  newPassword,
  store,
  usersOf,
} from '../families/by-hand.ts';
import { psql } from '../postgresql/by-hand.ts';
import { isShort } from './session-names.ts';
import { literal, quote } from './sql.ts';

/** Writes the statement that prints a statement for each session of a user. A long name is shown cut off. */
const listTerminations = (username: string): string =>
  isShort(username)
    ? `SELECT 'SELECT pg_terminate_backend(' || process || ');' FROM stv_sessions WHERE RTRIM(user_name) = ${literal(username.trimEnd())} AND process <> pg_backend_pid();`
    : 'SELECT process, user_name, starttime FROM stv_sessions;';

/** Writes what {@link contain} does for a person: the password is taken away, and sessions end. */
export const byHand: ByHand = (target) => {
  const { fields } = target;
  const users = usersOf(target);
  const { username, at } = adminOf(target, 5439);
  const database = { dbname: 'dev', ...fields };
  const long = users.some((user) => !isShort(user));
  return {
    steps: [
      { aim: 'log in', in: 'shell', lines: [psql(at, username, database)] },
      {
        aim: 'refuse logins',
        in: 'sql',
        lines: users.map((user) => `ALTER USER ${quote(user)} PASSWORD DISABLE;`),
        note: 'Redshift does not take the password of a superuser away: set the new one at once instead.',
      },
      {
        aim: 'end sessions',
        in: 'sql',
        lines: users.map(listTerminations),
        printsLines: true,
        ...(long && {
          note: 'STV_SESSIONS shows 50 bytes of a name: find the sessions of the user in the list, and run SELECT pg_terminate_backend(<process>) for each.',
        }),
      },
      { aim: 'set a new credential', in: 'shell', lines: [newPassword] },
      {
        aim: 'set a new credential',
        in: 'sql',
        lines: [`ALTER USER ${quote(heirOf(target))} PASSWORD '<new password>';`],
        note: 'Put in what echo "$NEW" shows.',
      },
      store(target),
      {
        aim: 'see it refused',
        in: 'shell',
        lines: users.map((user) => psql(at, user, database)),
        note: 'With the password that leaked.',
      },
    ],
    notes: [
      ...adminNotes(target),
      'A user can still log in with IAM credentials, where it may get any (redshift:GetClusterCredentials).',
    ],
  };
};
