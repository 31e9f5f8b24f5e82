import { requireSame, requireSoundValue } from '../families/pending.ts';
import { type GenericSecret, keysOf, textOf } from './schema.ts';

/** What Secrets Manager's own GetRandomPassword yields at most. */
const longestBytes = 4096;

/**
 * See {@link Rotator.check}. Nobody but the consumers could refuse an absurd value, and they would do so too late.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch`
 */
export function check(next: GenericSecret, current: GenericSecret): void {
  requireSame('the rotated keys', keysOf(next).join(', '), keysOf(current).join(', '));
  for (const key of keysOf(next)) {
    requireSoundValue(`pending value of "${key}"`, textOf(next, key), textOf(current, key), longestBytes);
  }
}
