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
import { literal } from './sql.ts';

/** Quotes text so that it can be shown and copied: by its bytes where a terminal would not show it. */
const shownText = (text: string): string =>
  unprintable.test(text) ? `CONVERT(0x${Buffer.from(text).toString('hex')} USING utf8mb4)` : literal(text);

/** Prepares the session: quoting depends on the SQL mode, the comparison of names on the character set. */
const session = ['SET NAMES utf8mb4;', "SET SESSION sql_mode = '', SESSION group_concat_max_len = 1000000;"];

/** Writes a change of a user's accounts at all hosts. The server itself quotes their names. */
const alterAll = (username: string, change: string): readonly string[] => [
  `SELECT CONCAT('ALTER USER ', GROUP_CONCAT(QUOTE(User), '@', QUOTE(Host)${change === 'ACCOUNT LOCK' ? '' : ", ' IDENTIFIED BY ', QUOTE('<new password>')"} SEPARATOR ', '), ' ${change}') INTO @rekey FROM mysql.user WHERE User = ${shownText(username)};`,
  'PREPARE rekey FROM @rekey;',
  'EXECUTE rekey;',
];

/** Writes the statement that prints a KILL for each session of a user. Rekey compares names byte by byte, too. */
export const listKills = (username: string): string =>
  `SELECT CONCAT('KILL CONNECTION ', ID, ';') FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND CAST(USER AS BINARY) = CAST(${shownText(username)} AS BINARY);`;

/** Says how sessions end where KILL is refused. */
export const onRds = 'On RDS and Aurora run CALL mysql.rds_kill(<id>) with each of these ids instead.';

/** Writes the call of the client, which asks for the password. MariaDB's has another option for TLS. */
export function mysqlClient(
  { host, port }: { host: string; port: string },
  username: string,
  { engine, ssl }: Readonly<Record<string, unknown>>,
): string {
  const isMariaDb = engine === 'mariadb';
  const tls = transportOf({ ssl }) === 'plaintext' ? '' : isMariaDb ? ' --ssl' : ' --ssl-mode=REQUIRED';
  return `MYSQL_HISTFILE=/dev/null ${isMariaDb ? 'mariadb' : 'mysql'}${tls} --host=${shellWord(host)} --port=${shellWord(port)} --user=${shellWord(username)} --password`;
}

/** Writes what {@link contain} does for a person: accounts are locked at every host, and sessions end. */
export const byHand: ByHand = (target) => {
  const { fields } = target;
  const users = usersOf(target);
  const { username, at, replica } = adminOf(target, 3306);
  const end: HandStep = {
    aim: 'end sessions',
    in: 'sql',
    lines: [...session, ...users.map(listKills)],
    printsLines: true,
    note: `${onRds} Run it again until it prints none.`,
  };
  const atReplica: readonly HandStep[] =
    replica === undefined
      ? []
      : [
          {
            aim: 'log in',
            in: 'shell',
            lines: [mysqlClient(replica, username, fields)],
            note: 'The secret is of a replica, which has sessions of its own.',
          },
          end,
        ];
  return {
    steps: [
      {
        aim: 'log in',
        in: 'shell',
        lines: [mysqlClient(at, username, fields)],
        ...(fields.engine === undefined && {
          note: "MariaDB's client has --ssl in the place of --ssl-mode=REQUIRED.",
        }),
      },
      {
        aim: 'refuse logins',
        in: 'sql',
        lines: [...session, ...users.flatMap((user) => alterAll(user, 'ACCOUNT LOCK'))],
        note: 'An error at PREPARE means that there is no such user.',
      },
      end,
      ...atReplica,
      { aim: 'set a new credential', in: 'shell', lines: [newPassword] },
      {
        aim: 'set a new credential',
        in: 'sql',
        lines: [...session, ...alterAll(heirOf(target), 'ACCOUNT UNLOCK')],
        note: 'Put in what echo "$NEW" shows. A second password of the user stays: ALTER USER … DISCARD OLD PASSWORD takes it away on MySQL 8.',
      },
      store(target),
      {
        aim: 'see it refused',
        in: 'shell',
        lines: users.map((user) => mysqlClient(at, user, fields)),
        note: 'With the password that leaked.',
      },
    ],
    notes: adminNotes(target),
  };
};
