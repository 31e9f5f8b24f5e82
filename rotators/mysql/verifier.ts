import { createHash, timingSafeEqual } from 'node:crypto';
import { nativeHash } from './sql.ts';

/**
 * Compares a password with what the server keeps of it. So it costs no login to find out whether it is right. Servers count
 * refused ones, and block the account after some.
 * @returns undefined for a form that is not known, which says nothing
 * @example
 * isVerified('*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19', 'password'); // true
 * @see https://dev.mysql.com/doc/refman/8.4/en/password-management.html#failed-login-tracking
 */
export function isVerified(kept: string, password: string): boolean | undefined {
  if (kept === '') return password === '';
  if (/^\*[0-9A-F]{40}$/i.test(kept)) return kept.toUpperCase() === nativeHash(password);
  // MySQL's caching_sha2_password: thousands of rounds, in hexadecimal, and 20 bytes of salt.
  const caching = /^\$A\$([0-9A-F]{3})\$([\s\S]{20})([./0-9A-Za-z]{43})$/.exec(kept);
  if (caching !== null) {
    const [, thousands = '', salt = '', digest = ''] = caching;
    return same(sha256Crypt(password, salt, Number.parseInt(thousands, 16) * 1000), digest);
  }
  const sha256 = /^\$5\$(?:rounds=(\d+)\$)?([^$]{1,20})\$([./0-9A-Za-z]{43})$/.exec(kept);
  if (sha256 !== null) {
    const [, rounds = '5000', salt = '', digest = ''] = sha256;
    return same(sha256Crypt(password, salt, Number(rounds)), digest);
  }
  return undefined;
}

const same = (one: string, other: string): boolean => timingSafeEqual(Buffer.from(one), Buffer.from(other));

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const times = (part: Uint8Array, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => part));
const filled = (block: Uint8Array, length: number): Buffer =>
  times(block, Math.ceil(length / block.length)).subarray(0, length);

/**
 * Computes the digest of SHA-crypt with SHA-256. It is code of our own, since crypt of the system and the libraries take 16 bytes
 * of salt at the most, and MySQL has 20.
 * @see https://www.akkadia.org/drepper/SHA-crypt.txt
 */
export function sha256Crypt(password: string, saltText: string, rounds: number): string {
  const secret = Buffer.from(password);
  const salt = Buffer.from(saltText);
  const second = sha256(secret, salt, secret);
  const first = [secret, salt, filled(second, secret.length)];
  for (let bits = secret.length; bits > 0; bits >>= 1) first.push(bits & 1 ? second : secret);
  let digest = sha256(...first);
  const secrets = filled(sha256(times(secret, secret.length)), secret.length);
  const salts = filled(sha256(times(salt, 16 + (digest[0] ?? 0))), salt.length);
  for (let round = 0; round < rounds; round += 1) {
    const odd = round % 2 === 1;
    const parts = [odd ? secrets : digest];
    if (round % 3 !== 0) parts.push(salts);
    if (round % 7 !== 0) parts.push(secrets);
    parts.push(odd ? digest : secrets);
    digest = sha256(...parts);
  }
  return encoded(digest);
}

/** Writes a digest in threes of bytes that lie apart, the last two alone. */
function encoded(digest: Uint8Array): string {
  const byte = (at: number): number => digest[at] ?? 0;
  let text = '';
  const add = (bits: number, characters: number): void => {
    for (let n = 0; n < characters; n += 1) text += alphabet[(bits >> (6 * n)) & 63];
  };
  for (let n = 0, at = [0, 10, 20]; n < 10; n += 1) {
    const [a = 0, b = 0, c = 0] = at;
    add((byte(a) << 16) | (byte(b) << 8) | byte(c), 4);
    at = [c + 1, a + 1, b + 1];
  }
  add((byte(31) << 8) | byte(30), 3);
  return text;
}
