import { requireSame, requireSoundValue } from '../families/pending.ts';
import { type GenericSecret, keysOf, textOf } from './schema.ts';

/** Most bytes of a value, which Secrets Manager's own GetRandomPassword yields at most. */
const longestBytes = 4096;

/**
 * Refuses an absurd value; see {@link Rotator.check}. Only the consumers could refuse it later, and that would be too late.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch`
 */
export function check(next: GenericSecret, current: GenericSecret): void {
  requireSame('the rotated keys', keysOf(next).join(', '), keysOf(current).join(', '));
  for (const key of keysOf(next)) {
    requireSoundValue(`pending value of "${key}"`, textOf(next, key), textOf(current, key), longestBytes);
  }
}
