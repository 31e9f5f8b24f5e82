import { SecretError } from '../../core/errors.ts';
import { portOf, type RedisSecret } from './schema.ts';

const shortest = 8;
/** What Secrets Manager's own GetRandomPassword yields at most. */
const longest = 4096;

function passwordFault(next: RedisSecret, current: RedisSecret): string | undefined {
  const { password } = next;
  if (password === '') return 'it is empty';
  if (password.trim() === '') return 'it is only white space';
  if ([...password].length < shortest) return `it is shorter than ${shortest} characters`;
  if (Buffer.byteLength(password) > longest) return `it is longer than ${longest} bytes`;
  if (password.includes('\0') || !password.isWellFormed()) return 'it holds NUL or is not valid Unicode';
  if (password.toLowerCase() === next.username.toLowerCase()) return 'it is the user name';
  if (/^(?:#?[0-9a-f]{64}$|SCRAM-SHA-256\$)/.test(password)) return 'it is a password hash, not a password';
  if (password === current.password) return 'it is the current password';
  return undefined;
}

/**
 * See {@link Rotator.check}.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch`
 */
export function check(next: RedisSecret, current: RedisSecret): void {
  const mismatch = (what: string, is: string | number, must: string | number) =>
    new SecretError(
      'IdentityMismatch',
      `the pending version has ${what} "${is}", it must be "${must}"; remove the AWSPENDING label and rotate again`,
    );
  if (next.username !== current.username) throw mismatch('username', next.username, current.username);
  if (next.host !== current.host) throw mismatch('host', next.host, current.host);
  if (portOf(next) !== portOf(current)) throw mismatch('port', portOf(next), portOf(current));
  const fault = passwordFault(next, current);
  if (fault !== undefined) {
    throw new SecretError(
      'PendingValueRefused',
      `the pending password of "${next.username}" is refused: ${fault}; remove the AWSPENDING label and rotate again`,
    );
  }
}
