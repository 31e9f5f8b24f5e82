import { SecretError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import type { Aws } from './aws.ts';
import { deleteKey, type ListedKey, lastUsed, listKeys } from './keys.ts';
import { covers, listMarks, type Mark, removeMarks } from './marks.ts';
import type { IamAccessKeySecret } from './schema.ts';

type Context = ApplyContext<IamAccessKeySecret>;

/** The keys of a user after {@link settle}, and what is known of them. */
export interface Slots {
  readonly keys: readonly ListedKey[];
  /** Versions that name a key of the user other than the current one. Those to go first stand first. */
  readonly held: readonly IamAccessKeySecret[];
  /** Key that a run may just have created, which may still be alive and store it. */
  readonly underWay?: ListedKey;
}

/**
 * Looks at the keys of a user, and removes those that dead runs of this secret created without storing. Nobody has their secret
 * part, and they would take a place for ever.
 *
 * Such a key is in no version that is kept. It was created within seconds of a mark that a run of this secret left, and has never
 * been used. The run cannot be alive any more. All others are somebody's and stay.
 *
 * @param token - of the rotation in progress; owns the marks of a secret that has no key yet
 * @throws TargetError
 */
export async function settle(aws: Aws, token: string | undefined, context: Context): Promise<Slots> {
  const { current } = context.credentials;
  const { username } = current;
  // In this order: whoever created a key that is listed has left its mark before.
  const keys = await listKeys(aws, username, context);
  const marks = await listMarks(aws, username, context);
  const held = await heldKeys(keys, context);
  const known = new Set([...held.map(({ accessKeyId }) => accessKeyId), current.accessKeyId]);
  const own = marks.filter(({ owner }) => known.has(owner) || owner === token);
  const alive = ({ began }: Mark) => Date.now() - began.getTime() < aws.runLivesMs;

  const kept: ListedKey[] = [];
  const unsettled = new Set<Mark>();
  let underWay: ListedKey | undefined;
  for (const key of keys) {
    const covering = known.has(key.id) ? [] : own.filter((mark) => covers(mark, key));
    if (covering.some(alive)) {
      underWay = key;
    } else if (covering.length > 0 && (await lastUsed(aws, username, key.id, context)) === undefined) {
      for (const mark of covering) unsettled.add(mark);
      if (await deleteKey(aws, username, key.id, context)) orphanRemoved(username, key, context);
      for (const mark of covering) unsettled.delete(mark);
      continue;
    }
    kept.push(key);
  }
  const settled = own.filter((mark) => !alive(mark) && !unsettled.has(mark));
  await removeMarks(aws, username, settled, context);
  return { keys: kept, held, ...(underWay !== undefined && { underWay }) };
}

function orphanRemoved(username: string, { id, created }: ListedKey, { finding }: Context): void {
  finding({
    code: 'OrphanedKeyRemoved',
    message: `IAM user "${username}": removed the access key ${id}, which a rotation created at ${created.toISOString()} and was ended before it could store it`,
  });
}

/**
 * Lists versions that are kept and name a key of the user, oldest first. Those of the current key are left out. Versions without a label are read only when
 * the user has a key that is neither the current nor the previous one's.
 */
async function heldKeys(keys: readonly ListedKey[], { credentials }: Context): Promise<IamAccessKeySecret[]> {
  const { current } = credentials;
  const versions = [current, await credentials.previous().catch(unlessInvalid)];
  if (!keys.every(({ id }) => versions.some((version) => version?.accessKeyId === id))) {
    for await (const version of credentials.others()) versions.push(version);
  }
  const isNamed = (version: IamAccessKeySecret | undefined): version is IamAccessKeySecret =>
    version?.username === current.username &&
    version.accessKeyId !== undefined &&
    version.accessKeyId !== current.accessKeyId;
  return versions.toReversed().filter(isNamed);
}

/** Answers `undefined` for a previous version that holds something else entirely. It holds no key of the user. */
function unlessInvalid(error: unknown): undefined {
  if (error instanceof SecretError && error.code === 'SecretValueInvalid') return undefined;
  throw error;
}
