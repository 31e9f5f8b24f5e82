import type { Authority } from './authority.ts';
import type { Caller } from './caller.ts';
import { findNamed } from './list.ts';
import type { Credential } from './schema.ts';

/** Beginning of the names that Rekey gives to credentials. The id of the version follows, and the time. */
export const mark = 'rekey-';

/**
 * Tells whether the service lists the id of a version under the name that the version says Rekey gave it.
 *
 * Whoever may write a secret may write the id of anybody's credential beside a value that no service accepts. So an id whose
 * value is not accepted counts only with this name: it holds a version id and a time. A service without names cannot tell. There,
 * the parameters in the admin secret say what is within reach.
 *
 * @param where - the credential in whose place the service is asked
 * @throws TargetError when the list cannot be read to its end
 */
export async function isListedAsMade(
  caller: Caller,
  { secret: { createdAs }, id }: Credential,
  where: Credential,
  authority: Authority,
): Promise<boolean> {
  if (where.recipe.list?.name === undefined) return true;
  if (createdAs?.startsWith(mark) !== true) return false;
  const named = await findNamed(caller, where, authority, createdAs);
  return named.some((listed) => listed.id === id && listed.name === createdAs);
}
