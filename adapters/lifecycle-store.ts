import {
  CancelRotateSecretCommand,
  type SecretsManagerClient,
  UntagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { secretsManagerError } from './secret-errors.ts';
import { SecretsManagerStore } from './secret-store.ts';

/** Secrets Manager with what only the life of a secret needs; a rotation function does without that. */
export class LifecycleSecretStore extends SecretsManagerStore {
  readonly #client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    super(client);
    this.#client = client;
  }

  /** Takes a tag off a secret. Twice is the same as once. @throws SecretError `SecretMissing` | `SecretAccessDenied` */
  async untag(secretId: string, key: string): Promise<void> {
    await this.#client
      .send(new UntagResourceCommand({ SecretId: secretId, TagKeys: [key] }))
      .catch((error: unknown) => {
        throw secretsManagerError(error, 'UntagResource', secretId);
      });
  }

  /**
   * Ends the schedule of a secret. Versions and labels stay.
   * @throws SecretError `SecretMissing` | `SecretAccessDenied`
   * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
   */
  async cancelRotation(secretId: string): Promise<void> {
    await this.#client.send(new CancelRotateSecretCommand({ SecretId: secretId })).catch((error: unknown) => {
      throw secretsManagerError(error, 'CancelRotateSecret', secretId);
    });
  }
}
