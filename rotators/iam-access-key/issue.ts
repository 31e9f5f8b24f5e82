import { CreateAccessKeyCommand, LimitExceededException } from '@aws-sdk/client-iam';
import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext, ProposeContext } from '../../core/rotator.ts';
import { type Aws, within } from './aws.ts';
import { callError } from './errors.ts';
import { deleteKey, type ListedKey, lastUsed, purpose } from './keys.ts';
import { leaveMark, type Mark, removeMarks } from './marks.ts';
import { isOwn } from './probe.ts';
import { type AccessKeyPair, type IamAccessKeySecret, keyOf } from './schema.ts';
import { type Slots, settle } from './settle.ts';

type Context = ProposeContext<IamAccessKeySecret>;

/** Access keys that IAM allows a user. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const keysPerUser = 2;
/** Longest time that leaving a mark may take. After a longer one, the mark no longer says when the key was created. */
const longestMarkMs = 5_000;

/**
 * Creates an access key; see {@link Rotator.propose}. Its secret part is told once, so a run that dies before the engine has
 * stored it leaves a key that nobody can use. A mark, left before, lets a later run find it ({@link settle}).
 */
export async function propose(
  aws: Aws,
  current: IamAccessKeySecret,
  context: Context,
): Promise<IamAccessKeySecret> {
  for (let attempt = 1; ; attempt += 1) {
    const slots = await settle(aws, context.token, context);
    await makeRoom(aws, current, slots, context);
    const key = await createMarked(aws, current, context);
    if (key !== undefined) {
      // A secret that was created holds a generated password that nothing takes; JSON leaves out what is undefined.
      const unused = keyOf(current) === undefined && 'password' in current ? { password: undefined } : {};
      return { ...current, ...unused, ...key };
    }
    if (attempt === 2) throw await slotsTaken(aws, current, slots.keys, context);
  }
}

/** Deletes a proposed key that was not stored; see {@link IssuingRotator.discard}. */
export async function discard(
  aws: Aws,
  proposal: IamAccessKeySecret,
  context: ApplyContext<IamAccessKeySecret>,
): Promise<void> {
  const { accessKeyId, username } = proposal;
  if (accessKeyId === undefined || accessKeyId === context.credentials.current.accessKeyId) return;
  await deleteKey(aws, username, accessKeyId, context);
}

/**
 * Makes room for one key where there are two. Keys of versions that are kept go, as many as need be, such as that of a rotation
 * that was cancelled. The current one goes last, and only where it is inactive, as after a containment. The key before the
 * current one is promised to work for a time; the engine ends that.
 * @throws SecretError `SlotsTaken`
 */
async function makeRoom(
  aws: Aws,
  current: IamAccessKeySecret,
  { keys, held, underWay }: Slots,
  context: Context,
): Promise<void> {
  const { username } = current;
  // Requests at the same time can get a user more than its quota; then one place is not enough.
  const surplus = keys.length - keysPerUser + 1;
  const promised =
    surplus > 0 ? (await context.credentials.previous().catch(() => undefined))?.accessKeyId : undefined;
  const spare: string[] = [];
  for (const key of keys) {
    if (spare.length >= surplus || key.id === current.accessKeyId || key.id === promised) continue;
    for (const version of held.filter(({ accessKeyId }) => accessKeyId === key.id)) {
      if (!(await isOwn(aws, version, key, context))) continue;
      spare.push(key.id);
      break;
    }
  }
  // The current one last: it is what an investigation asks for.
  const isIdle = keys.some(({ id, active }) => id === current.accessKeyId && !active);
  if (spare.length < surplus && isIdle && current.accessKeyId !== undefined) spare.push(current.accessKeyId);
  if (spare.length < surplus && underWay !== undefined) {
    throw new SecretError(
      'SlotsBusy',
      `IAM user "${username}": another run of this rotation may be about to store the access key ${underWay.id}; if it is not stored within ${Math.ceil(aws.runLivesMs / 1000)} s, it is removed when the rotation is tried again`,
    );
  }
  if (spare.length < surplus) throw await slotsTaken(aws, current, keys, context);
  for (const id of spare) {
    await deleteKey(aws, username, id, context);
    context.finding({
      code: 'SpareKeyRemoved',
      message: `IAM user "${username}": removed the access key ${id}, which ${id === current.accessKeyId ? 'is the current one and inactive' : 'an earlier version of the secret holds'}, to make room for a new one`,
    });
  }
}

async function slotsTaken(
  aws: Aws,
  { username, accessKeyId }: IamAccessKeySecret,
  keys: readonly ListedKey[],
  context: Context,
): Promise<SecretError> {
  const previous = (await context.credentials.previous().catch(() => undefined))?.accessKeyId;
  const described = await Promise.all(
    keys.map(async ({ id, active, created }) => {
      const used = await lastUsed(aws, username, id, context);
      const of =
        id === accessKeyId
          ? 'the current one, '
          : id === previous
            ? 'the one before it, '
            : 'in no version of the secret, ';
      const use = used === undefined ? 'no use known' : `last used ${used.toISOString()}`;
      return `${id} (${of}${active ? 'active' : 'inactive'}, created ${created.toISOString()}, ${use})`;
    }),
  );
  return new SecretError(
    'SlotsTaken',
    `IAM user "${username}" has ${keys.length} access keys, and IAM allows ${keysPerUser}: ${described.join('; ')}. Delete the one that nothing uses any more, then rotate again; Rekey removes only keys that are its own`,
  );
}

/** Creates a key, with a mark for the case that this run dies. Undefined when there was no room after all. */
async function createMarked(
  aws: Aws,
  current: IamAccessKeySecret,
  context: Context,
): Promise<AccessKeyPair | undefined> {
  const { username } = current;
  const owner = current.accessKeyId ?? context.token;
  const name = Buffer.from(context.random.bytes(6)).toString('hex');
  const mark = await leaveMark(aws, username, { name, owner }, context);
  if (Date.now() - mark.began.getTime() > longestMarkMs) {
    await removeMarks(aws, username, [mark], context);
    throw new TargetError('TargetTimeout', `IAM user "${username}": IAM took too long to tag it; try again`);
  }
  return await create(aws, username, mark, context);
}

async function create(
  aws: Aws,
  username: string,
  mark: Mark,
  context: Context,
): Promise<AccessKeyPair | undefined> {
  try {
    const { AccessKey } = await aws.issuing.send(
      new CreateAccessKeyCommand({ UserName: username }),
      within(context),
    );
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = AccessKey ?? {};
    if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
    throw new TargetError('TargetRefused', `IAM user "${username}": IAM created no access key`);
  } catch (error) {
    const full = error instanceof LimitExceededException;
    const failure = callError(error, purpose(username, 'create an access key', 'CreateAccessKey'));
    // Where IAM said no, nothing was created, and a key that somebody makes just now must not be taken for this one.
    if (failure.code !== 'TargetUnreachable' && failure.code !== 'TlsRefused') {
      await removeMarks(aws, username, [mark], context).catch((): undefined => undefined);
    }
    if (full) return undefined;
    throw failure;
  }
}
