import { shellWord, unprintable } from '../../core/shell-word.ts';
import {
  adminNotes,
  adminOf,
  type ByHand,
  heirOf,
  newPassword,
  store,
  usersOf,
} from '../families/by-hand.ts';
import { transportOf } from '../transport/tls/transport.ts';

/**
 * Quotes an argument as redis-cli reads its lines.
 * @see https://redis.io/docs/latest/develop/tools/cli/#string-quoting-and-escaping
 */
function argument(text: string): string {
  if (/^[\w.:@-]+$/.test(text)) return text;
  const written = [...text].map((character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    if (!unprintable.test(character)) return character;
    return [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  });
  return `"${written.join('')}"`;
}

/** Writes the command that ends all sessions of a user but the one that runs it. */
export const killSessions = (username: string): string => `CLIENT KILL USER ${argument(username)} SKIPME yes`;

/** Writes the call of redis-cli, which asks for the password. */
export function redisCli(
  { host, port }: { host: string; port: string },
  username: string,
  { ssl }: Readonly<Record<string, unknown>>,
): string {
  const tls = transportOf({ ssl }) === 'plaintext' ? '' : ' --tls';
  return `redis-cli${tls} -h ${shellWord(host)} -p ${shellWord(port)} --user ${shellWord(username)} --askpass`;
}

/** Writes what {@link contain} does for a person: the user is turned off, and its sessions end. */
export const byHand: ByHand = (target) => {
  const { fields } = target;
  const users = usersOf(target);
  const heir = argument(heirOf(target));
  const { username, at } = adminOf(target, 6379);
  return {
    steps: [
      { aim: 'log in', in: 'shell', lines: [redisCli(at, username, fields)] },
      {
        aim: 'refuse logins',
        in: 'redis-cli',
        lines: users.map((user) => `ACL SETUSER ${argument(user)} off`),
        note: 'It would make a user that is not there; ACL GETUSER shows whether there is one.',
      },
      { aim: 'end sessions', in: 'redis-cli', lines: users.map(killSessions) },
      {
        aim: 'set a new credential',
        in: 'shell',
        lines: [newPassword, `printf %s "$NEW" | openssl dgst -sha256 -r | cut -d' ' -f1`],
        note: 'The second line prints the SHA-256 of the new password, which the server takes in its place.',
      },
      {
        aim: 'set a new credential',
        in: 'redis-cli',
        lines: [`ACL SETUSER ${heir} resetpass "#<SHA-256 of the new password>" on`, 'ACL SAVE'],
        note: 'Where ACL SAVE says that there is no ACL file: CONFIG REWRITE. Replicas and other nodes have users of their own; run all of it there, too.',
      },
      store(target),
      {
        aim: 'see it refused',
        in: 'shell',
        lines: users.map((user) => redisCli(at, user, fields)),
        note: 'With the password that leaked: the answer is WRONGPASS.',
      },
    ],
    notes: adminNotes(target),
  };
};
