import {
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  ListAccessKeysCommand,
  NoSuchEntityException,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import type { TargetContext } from '../../core/rotator.ts';
import { type Aws, answered, within } from './aws.ts';
import type { Purpose } from './errors.ts';

/** An access key as IAM lists it. */
export interface ListedKey {
  readonly id: string;
  readonly active: boolean;
  readonly created: Date;
}

export const purpose = (username: string, doing: string, action: string): Purpose => ({
  where: `IAM user "${username}"`,
  doing,
  action: `iam:${action}`,
});

/**
 * Lists the access keys of a user, two at the most.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html
 */
export async function listKeys(aws: Aws, UserName: string, context: TargetContext): Promise<ListedKey[]> {
  const { AccessKeyMetadata = [] } = await answered(
    aws.iam.send(new ListAccessKeysCommand({ UserName }), within(context)),
    purpose(UserName, 'list its access keys', 'ListAccessKeys'),
  );
  return AccessKeyMetadata.flatMap(({ AccessKeyId, Status, CreateDate }) =>
    AccessKeyId === undefined
      ? []
      : [{ id: AccessKeyId, active: Status !== 'Inactive', created: CreateDate ?? new Date(0) }],
  );
}

/**
 * Reads when a key was last used; undefined when AWS knows of no use.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
 */
export async function lastUsed(
  aws: Aws,
  UserName: string,
  AccessKeyId: string,
  context: TargetContext,
): Promise<Date | undefined> {
  const { AccessKeyLastUsed } = await answered(
    aws.iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }), within(context)),
    purpose(UserName, `ask when ${AccessKeyId} was last used`, 'GetAccessKeyLastUsed'),
  );
  return AccessKeyLastUsed?.LastUsedDate;
}

/** Deletes a key; false when there was none. */
export const deleteKey = (aws: Aws, UserName: string, AccessKeyId: string, context: TargetContext) =>
  unlessGone(
    aws.iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }), within(context)),
    purpose(UserName, `delete the access key ${AccessKeyId}`, 'DeleteAccessKey'),
  );

/** Deactivates a key; false when there was none. */
export const deactivateKey = (aws: Aws, UserName: string, AccessKeyId: string, context: TargetContext) =>
  unlessGone(
    aws.iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: 'Inactive' }), within(context)),
    purpose(UserName, `deactivate the access key ${AccessKeyId}`, 'UpdateAccessKey'),
  );

/** Waits for a call that may find the user or the key gone; false when it did. */
export async function unlessGone(call: Promise<unknown>, what: Purpose): Promise<boolean> {
  return await answered(
    call.then(
      () => true,
      (error: unknown) => {
        if (error instanceof NoSuchEntityException) return false;
        throw error;
      },
    ),
    what,
  );
}
