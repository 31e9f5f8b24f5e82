import { SecretError } from '../../core/errors.ts';
import type { Strategy } from '../../core/secret.ts';
import { alternateOf, databaseOf, type MysqlSecret, portOf } from './schema.ts';

const shortest = 8;
/** What `caching_sha2_password` takes; a longer one could never log in. */
const longest = 256;

function passwordFault(next: MysqlSecret, current: MysqlSecret): string | undefined {
  const { password } = next;
  if (password === '') return 'it is empty';
  if (password.trim() === '') return 'it is only white space';
  if ([...password].length < shortest) return `it is shorter than ${shortest} characters`;
  if (Buffer.byteLength(password) > longest) return `it is longer than ${longest} bytes`;
  if (password.includes('\0') || !password.isWellFormed()) return 'it holds NUL or is not valid Unicode';
  if (password.toLowerCase() === next.username.toLowerCase()) return 'it is the user name';
  if (/^(?:\*[0-9A-F]{40}$|\$A\$[0-9]{3}\$)/i.test(password)) return 'it is a password hash, not a password';
  if (password === current.password) return 'it is the current password';
  return undefined;
}

/**
 * See {@link Rotator.check}.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch` | `StrategyUnsupported`
 */
export function check(next: MysqlSecret, current: MysqlSecret, strategy: Strategy): void {
  const mismatch = (what: string, is: string | number, must: string | number) =>
    new SecretError(
      'IdentityMismatch',
      `the pending version has ${what} "${is}", it must be "${must}"; remove the AWSPENDING label and rotate again`,
    );
  const username = strategy === 'alternating-users' ? alternateOf(current) : current.username;
  if (next.username !== username) throw mismatch('username', next.username, username);
  if (next.engine !== current.engine) throw mismatch('engine', next.engine, current.engine);
  if (next.host !== current.host) throw mismatch('host', next.host, current.host);
  if (portOf(next) !== portOf(current)) throw mismatch('port', portOf(next), portOf(current));
  if (databaseOf(next) !== databaseOf(current)) {
    throw mismatch('dbname', databaseOf(next) ?? '', databaseOf(current) ?? '');
  }
  const fault = passwordFault(next, current);
  if (fault !== undefined) {
    throw new SecretError(
      'PendingValueRefused',
      `the pending password of "${next.username}" is refused: ${fault}; remove the AWSPENDING label and rotate again`,
    );
  }
}
