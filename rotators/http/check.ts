import { isDeepStrictEqual } from 'node:util';
import { SecretError } from '../../core/errors/rekey-error.ts';
import { giveUpPending, requireSame } from '../families/pending.ts';
import type { Recipes } from './recipe-book.ts';
import { type Credential, credentialOf, type HttpSecret } from './schema.ts';

/**
 * Refuses a pending credential that must never be used; see {@link Rotator.check}.
 * @throws SecretError `PendingValueRefused` | `IdentityMismatch`
 */
export function check(nextSecret: HttpSecret, currentSecret: HttpSecret, recipes: Recipes): void {
  const next = credentialOf(nextSecret, recipes);
  const current = credentialOf(currentSecret, recipes);
  requireSame('recipe', next.name, current.name);
  for (const [name, value] of current.parameters) {
    const other = next.parameters.get(name);
    // Values that are long are not quoted; which one it is says enough.
    if (!isDeepStrictEqual(other, value)) requireSame(name, shown(other), shown(value, 'another'));
  }
  const fault = faultOf(next, current);
  if (fault !== undefined) {
    throw new SecretError(
      'PendingValueRefused',
      `the pending credential is refused: ${fault}; ${giveUpPending}`,
    );
  }
}

const shown = (value: unknown, otherwise = 'other'): string =>
  (typeof value === 'string' && value.length <= 256) || typeof value === 'number' ? String(value) : otherwise;

function faultOf(next: Credential, current: Credential): string | undefined {
  const { id, secret } = next.recipe.credential;
  if (next.id.trim() === '') return `${id} is empty`;
  if (next.value.trim() === '') return `${secret} is empty`;
  if (next.id === current.id) return `${id} is that of the current credential`;
  if (next.value === current.value) return `${secret} is that of the current credential`;
  return undefined;
}
