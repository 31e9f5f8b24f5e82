import { TargetError } from '../../core/errors/rekey-error.ts';
import type { ContainContext, ContainResult } from '../../core/rotator.ts';
import type { Aws, SessionCutoff } from './aws.ts';
import { deactivateKey, listKeys } from './keys.ts';
import { type Answer, ask } from './probe.ts';
import { secondAfter } from './revocation-policy.ts';
import type { IamAccessKeySecret } from './schema.ts';
import { askUntil } from './wait.ts';

type Context = ContainContext<IamAccessKeySecret>;

const rolesNote =
  'sessions of roles that were assumed with it go on until they are revoked at each role: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html';

/**
 * Deactivates the key and waits until STS refuses it; see {@link Rotator.contain}. The key is kept, so that what it did can still
 * be looked up. Before the wait, everything is denied to sessions that the user got from STS before, which outlive the key.
 */
export async function contain(
  aws: Aws,
  { serially, cutoff }: { serially: Serially; cutoff: SessionCutoff },
  leaked: IamAccessKeySecret,
  context: Context,
): Promise<ContainResult> {
  const { username, accessKeyId } = leaked;
  if (accessKeyId === undefined) {
    return { loginsRefused: true, sessionsEnded: 0, note: 'this version holds no access key' };
  }
  const wasActive = await isActive(aws, { username, accessKeyId }, context);
  const exists = await deactivateKey(aws, username, accessKeyId, context);
  const deny = () =>
    serially(username, () => denySessions(cutoff, { username, accessKeyId, wasActive }, context));
  const atOnce = await deny();
  const accepted = await isAccepted(aws, leaked, context);
  // IAM is eventually consistent: until STS refused the key, sessions could still begin with it.
  const denied = wasActive && !accepted ? await deny() : atOnce;
  const facts = [
    exists
      ? `the access key ${accessKeyId} is inactive and kept for the investigation`
      : `the user "${username}" has no access key ${accessKeyId}`,
    ...(accepted ? ['but STS still accepts it'] : []),
    denied === undefined
      ? `there is no user "${username}"`
      : `everything is denied to sessions that the user got from STS before ${denied.toISOString()}, those of its other key included; IAM does not tell how many`,
    rolesNote,
  ];
  return { loginsRefused: !accepted, sessionsEnded: 0, note: facts.join('; ') };
}

/** Waits until STS refuses the key; true when it does not in time. Where STS gives no answer, IAM's word must do. */
async function isAccepted(aws: Aws, leaked: IamAccessKeySecret, context: Context): Promise<boolean> {
  const settled = ({ outcome }: Answer) => outcome !== 'accepted';
  const answer = await ask(aws, leaked, context, (attempt) => askUntil(attempt, settled, aws.patienceMs));
  return !settled(answer);
}

/** Tells whether the key works still; in doubt it does. An obstacle to knowing must not keep the key alive. */
async function isActive(
  aws: Aws,
  { username, accessKeyId }: { username: string; accessKeyId: string },
  context: Context,
): Promise<boolean> {
  try {
    const keys = await listKeys(aws, username, context);
    return keys.some(({ id, active }) => id === accessKeyId && active);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    if (error.code === 'PermissionMissing') {
      context.finding({ code: 'KeyStateUnread', message: error.message });
    }
    return true;
  }
}

/** Runs one piece of work at a time for a user: two leaked keys of one user share one policy. */
export type Serially = <T>(username: string, work: () => Promise<T>) => Promise<T>;

export function oneAtATime(): Serially {
  const last = new Map<string, Promise<unknown>>();
  return (username, work) => {
    const turn = (last.get(username) ?? Promise.resolve()).then(work, work);
    last.set(username, turn);
    return turn;
  };
}

/**
 * Has everything denied to sessions that began before the leaked key was cut off, or before the rotation that followed.
 * @returns since when sessions are let in; undefined when there is no such user
 */
async function denySessions(
  cutoff: SessionCutoff,
  { username, accessKeyId, wasActive }: { username: string; accessKeyId: string; wasActive: boolean },
  context: Context,
): Promise<Date | undefined> {
  const now = new Date();
  return await cutoff(
    {
      username,
      accessKeyId,
      before: secondAfter(wasActive ? now : (context.rotatedAt ?? now)),
      // A key that was cut off before and is still inactive has begun no session since.
      unlessKnown: !wasActive && context.rotatedAt === undefined,
    },
    context,
  );
}
