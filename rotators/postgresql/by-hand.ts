import { shellWord, unprintable } from '../../core/shell-word.ts';
import {
  adminNotes,
  adminOf,
  type ByHand,
  type HandStep,
  heirOf,
  newPassword,
  store,
  usersOf,
} from '../families/by-hand.ts';
import { transportOf } from '../transport/tls/transport.ts';
import { literal, quote, takeLogin, terminateSessions } from './sql.ts';

/** Writes characters by their numbers, which no terminal changes: `U&"…"`, since PostgreSQL 8.4. */
const escaped = (text: string): string =>
  [...text]
    .map((character) =>
      /[\w ]/.test(character)
        ? character
        : `\\+${(character.codePointAt(0) ?? 0).toString(16).padStart(6, '0')}`,
    )
    .join('');

/** Quotes a name so that it can be shown and copied. */
const shownName = (name: string): string => (unprintable.test(name) ? `U&"${escaped(name)}"` : quote(name));
/** Quotes text so that it can be shown and copied. */
const shownText = (text: string): string =>
  unprintable.test(text) ? `U&'${escaped(text)}'` : literal(text).trim();

/** Writes the statement that ends all sessions of a user but the one that runs it. */
export const endAll = (username: string): string =>
  `${terminateSessions(`${shownText(username)}::name`).replaceAll(/\s+/g, ' ')};`;

/** Writes the call of psql, which asks for the password. Without `ssl: false` in the secret it insists on TLS. */
export function psql(
  { host, port }: { host: string; port: string },
  username: string,
  { dbname, ssl }: Readonly<Record<string, unknown>>,
): string {
  const mode = transportOf({ ssl }) === 'plaintext' ? '' : 'PGSSLMODE=require ';
  const database = typeof dbname === 'string' && dbname !== '' ? dbname : 'postgres';
  return `${mode}psql --host=${shellWord(host)} --port=${shellWord(port)} --username=${shellWord(username)} --dbname=${shellWord(database)}`;
}

/** Writes what {@link contain} does for a person: LOGIN is taken away, sessions end, and one user gets a new password. */
export const byHand: ByHand = (target) => {
  const { fields } = target;
  const users = usersOf(target);
  const heir = heirOf(target);
  const { username, at, replica } = adminOf(target, 5432);
  const end = users.map(endAll);
  const atReplica: readonly HandStep[] =
    replica === undefined
      ? []
      : [
          {
            aim: 'log in',
            in: 'shell',
            lines: [psql(replica, username, {})],
            note: 'The secret is of a replica, which has sessions of its own.',
          },
          { aim: 'end sessions', in: 'sql', lines: end },
        ];
  return {
    steps: [
      { aim: 'log in', in: 'shell', lines: [psql(at, username, { ssl: fields.ssl })] },
      { aim: 'refuse logins', in: 'sql', lines: users.map((user) => `${takeLogin(shownName(user))};`) },
      {
        aim: 'end sessions',
        in: 'sql',
        lines: end,
        note: 'Run it again until it finds none: a login that was under way shows up a moment later.',
      },
      ...atReplica,
      { aim: 'set a new credential', in: 'shell', lines: [newPassword] },
      {
        aim: 'set a new credential',
        in: 'sql',
        lines: [`ALTER ROLE ${shownName(heir)} LOGIN PASSWORD '<new password>';`],
        note: 'Put in what echo "$NEW" shows. To keep it out of the log of the server, run \\password with the user in psql instead, and then the statement without PASSWORD.',
      },
      store(target),
      {
        aim: 'see it refused',
        in: 'shell',
        lines: users.map((user) => psql(at, user, fields)),
        note: 'With the password that leaked.',
      },
    ],
    notes: [
      ...adminNotes(target),
      'Prepared transactions of the user go on and hold their locks: SELECT gid FROM pg_prepared_xacts, then ROLLBACK PREPARED.',
    ],
  };
};
