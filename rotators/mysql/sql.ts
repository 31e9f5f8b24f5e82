import { createHash } from 'node:crypto';

/** Quotes a name. A doubled backtick means the same in every SQL mode. */
export const quote = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** Writes an account as statements name it: user and host, both quoted. */
export const accountName = ({ user, host }: { user: string; host: string }): string =>
  `${quote(user)}@${quote(host)}`;

/** Quotes text for a session whose SQL mode has no `NO_BACKSLASH_ESCAPES`, as {@link Session.prepare} makes sure. */
export const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/**
 * Hashes a password as the server keeps it for `mysql_native_password`, so that statements need not hold the password.
 * @see https://mariadb.com/kb/en/authentication-plugin-mysql_native_password/
 */
export function nativeHash(password: string): string {
  const once = createHash('sha1').update(password, 'utf8').digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}
