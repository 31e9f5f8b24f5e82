import { ListUserTagsCommand, TagUserCommand, UntagUserCommand } from '@aws-sdk/client-iam';
import type { TargetContext } from '../../core/rotator.ts';
import { type Aws, answered, within } from './aws.ts';
import { type ListedKey, purpose } from './keys.ts';

/** Beginning of the keys of tags that are Rekey's notes on a user. Each says that a key is about to be created. */
const markPrefix = 'rekey:issuing:';

/**
 * A note, kept as a tag of the user, that a run was about to create a key. Each run writes a tag of its own, since concurrent
 * runs could not change a common one without losing each other's note.
 */
export interface Mark {
  readonly tag: string;
  readonly began: Date;
  /** Key id that was current then or, without one, the token of the rotation. It says whose secret the run was for. */
  readonly owner: string;
}

/** Difference that is allowed between the clocks of IAM and of the function. IAM tells whole seconds. */
const skewMs = 5_000;
/** Longest time from a mark to its key, in milliseconds. A run sends the request at once, and waits no longer for the answer. */
const issuingMs = 20_000;

/** Tells whether a key may have been created by the run that left the mark. */
export function covers({ began }: Mark, { created }: Pick<ListedKey, 'created'>): boolean {
  const afterMs = created.getTime() - began.getTime();
  return afterMs >= -skewMs && afterMs <= issuingMs + skewMs;
}

export async function listMarks(aws: Aws, UserName: string, context: TargetContext): Promise<Mark[]> {
  const { Tags = [] } = await answered(
    aws.iam.send(new ListUserTagsCommand({ UserName, MaxItems: 100 }), within(context)),
    purpose(UserName, 'list its tags', 'ListUserTags'),
  );
  return Tags.flatMap(({ Key = '', Value = '' }) => {
    const [, began, owner] = /^(\S+Z)\/(\S+)$/.exec(Value) ?? [];
    return Key.startsWith(markPrefix) && began !== undefined && owner !== undefined
      ? [{ tag: Key, began: new Date(began), owner }]
      : [];
  });
}

/** Leaves a mark before a key is created. */
export async function leaveMark(
  aws: Aws,
  UserName: string,
  { name, owner }: { name: string; owner: string },
  context: TargetContext,
): Promise<Mark> {
  const mark = { tag: `${markPrefix}${name}`, began: new Date(), owner };
  const Tags = [{ Key: mark.tag, Value: `${mark.began.toISOString()}/${owner}` }];
  await answered(
    aws.iam.send(new TagUserCommand({ UserName, Tags }), within(context)),
    purpose(UserName, `leave the tag ${mark.tag}`, 'TagUser'),
  );
  return mark;
}

export async function removeMarks(
  aws: Aws,
  UserName: string,
  marks: readonly Mark[],
  context: TargetContext,
): Promise<void> {
  if (marks.length === 0) return;
  const TagKeys = marks.map(({ tag }) => tag);
  await answered(
    aws.iam.send(new UntagUserCommand({ UserName, TagKeys }), within(context)),
    purpose(UserName, `remove the tag ${TagKeys[0]}`, 'UntagUser'),
  );
}
