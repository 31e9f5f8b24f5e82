import { GetAccessKeyLastUsedCommand, type IAMClient } from '@aws-sdk/client-iam';
import type { AccessKeyOwner, AccessKeys } from '../../core/operator-ports.ts';

/**
 * Access keys, as IAM knows them by their ids.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
 */
export class IamAccessKeys implements AccessKeys {
  readonly #client: IAMClient;

  constructor(client: IAMClient) {
    this.#client = client;
  }

  async owner(accessKeyId: string): Promise<AccessKeyOwner | undefined> {
    try {
      const { UserName, AccessKeyLastUsed } = await this.#client.send(
        new GetAccessKeyLastUsedCommand({ AccessKeyId: accessKeyId }),
      );
      if (UserName === undefined) return undefined;
      const lastUsed = AccessKeyLastUsed?.LastUsedDate;
      return { user: UserName, ...(lastUsed !== undefined && { lastUsed }) };
    } catch (error) {
      // IAM answers so for keys of other accounts, and for those that do not exist.
      if (error instanceof Error && ['NoSuchEntity', 'NoSuchEntityException'].includes(error.name)) {
        return undefined;
      }
      throw error;
    }
  }
}
