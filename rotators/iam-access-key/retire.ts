import type { RetireContext, RetireResult } from '../../core/rotator.ts';
import type { Aws } from './aws.ts';
import { deactivateKey, deleteKey, listKeys } from './keys.ts';
import { isOwn } from './probe.ts';
import type { IamAccessKeySecret } from './schema.ts';
import { settle } from './settle.ts';

/**
 * Deactivates or deletes a key that was replaced; see {@link IssuingRotator.retire}. AWS's own advice: deactivate, watch, then delete.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html
 */
export async function retire(
  aws: Aws,
  old: IamAccessKeySecret,
  context: RetireContext<IamAccessKeySecret>,
): Promise<RetireResult> {
  const { username, accessKeyId } = old;
  const { current } = context.credentials;
  if (accessKeyId === undefined || accessKeyId === current.accessKeyId) return { done: 'nothing' };
  // A secret that was pointed to another user: what the old one still has is not this secret's any more.
  if (username !== current.username) return { done: 'nothing' };
  const key = (await listKeys(aws, username, context)).find(({ id }) => id === accessKeyId);
  if (key === undefined) return { done: 'nothing' };
  if (!(await isOwn(aws, old, key, context))) {
    return {
      done: 'nothing',
      note: `${accessKeyId} is active, and not with what the version before holds of it`,
    };
  }
  if (context.act === 'remove') {
    await context.announce();
    return { done: (await deleteKey(aws, username, accessKeyId, context)) ? 'removed' : 'nothing' };
  }
  if (!key.active) return { done: 'nothing' };
  await context.announce();
  const done = await deactivateKey(aws, username, accessKeyId, context);
  // Once per overlap, so that marks do not stay until the next rotation, which does the same if this fails.
  await settle(aws, undefined, context).catch((): undefined => undefined);
  return { done: done ? 'disabled' : 'nothing' };
}
