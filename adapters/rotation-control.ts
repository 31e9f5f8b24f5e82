import {
  RotateSecretCommand,
  type SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { pauseTag } from '../core/deployed/names.ts';
import { RekeyError, SecretError } from '../core/errors/rekey-error.ts';
import type { OperatorRotations } from '../core/operator-ports.ts';
import { stages } from '../core/secret/secret.ts';
import { removePendingLabel } from './pending-label.ts';
import { secretsManagerError } from './secret-errors.ts';

/** Starts rotations through Secrets Manager, and gives them up. */
export class SecretsManagerRotation implements OperatorRotations {
  readonly #client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    this.#client = client;
  }

  /**
   * Starts a rotation, or reports that one has yet to end. Secrets Manager refuses a rotation while another one has not ended,
   * and then tries that one again.
   * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
   */
  async rotate(secretId: string, token: string): Promise<'started' | 'unfinished'> {
    try {
      await this.#client.send(
        new RotateSecretCommand({ SecretId: secretId, ClientRequestToken: token, RotateImmediately: true }),
      );
      return 'started';
    } catch (cause) {
      const { name, message } = cause instanceof Error ? cause : new Error();
      if (name === 'InvalidRequestException' && /previous rotation/i.test(message)) {
        return 'unfinished';
      }
      if (name === 'InvalidRequestException') {
        throw new SecretError(
          'RotationDisabled',
          `Secrets Manager cannot rotate ${secretId} as it stands: rotation is not configured, or the secret is scheduled for deletion`,
          { cause },
        );
      }
      if (name === 'AccessDeniedException') {
        throw denied(secretId, message, cause);
      }
      const refused = secretsManagerError(cause, 'RotateSecret', secretId);
      if (refused instanceof RekeyError && refused.code !== 'CallInvalid' && refused.code !== 'CallRefused') {
        throw refused;
      }
      throw new RekeyError(
        'RotationNotStarted',
        `Secrets Manager did not start the rotation of ${secretId} (${name})`,
        { cause },
      );
    }
  }

  async abandon(secretId: string, versionId: string): Promise<void> {
    await asOperator('UpdateSecretVersionStage', stages.pending, secretId, () =>
      removePendingLabel(this.#client, secretId, versionId),
    );
  }

  async pause(secretId: string, until: Date | undefined): Promise<void> {
    if (until === undefined) {
      await asOperator('UntagResource', pauseTag, secretId, () =>
        this.#client.send(new UntagResourceCommand({ SecretId: secretId, TagKeys: [pauseTag] })),
      );
      return;
    }
    const tag = { Key: pauseTag, Value: until.toISOString() };
    await asOperator('TagResource', pauseTag, secretId, () =>
      this.#client.send(new TagResourceCommand({ SecretId: secretId, Tags: [tag] })),
    );
  }
}

/** Makes a call that the policy of operators allows, and says so where it is denied. */
async function asOperator(
  action: string,
  changed: string,
  secretId: string,
  call: () => Promise<unknown>,
): Promise<void> {
  try {
    await call();
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'AccessDeniedException') {
      throw new SecretError(
        'SecretAccessDenied',
        `secretsmanager:${action} of ${changed} on ${secretId} is denied to this role; operators may, deploy the environment again if theirs may not`,
        { cause },
      );
    }
    throw secretsManagerError(cause, action, secretId);
  }
}

/**
 * Tells apart three policies whose denials end in the same code, by the text alone. They are the function's own, which is also
 * the answer when there is no such function; the caller's, for the function; and the caller's or the secret's, for the secret.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html
 */
function denied(secretId: string, message: string, cause: unknown): SecretError {
  if (/cannot invoke the specified Lambda function/i.test(message)) {
    return new SecretError(
      'RotationFunctionDenied',
      `Secrets Manager cannot invoke the rotation function of ${secretId}: it was deleted, or its own policy no longer admits secretsmanager.amazonaws.com; deploy the environment again`,
      { cause },
    );
  }
  if (/lambda:InvokeFunction/i.test(message)) {
    return new SecretError(
      'SecretAccessDenied',
      `RotateSecret on ${secretId} needs lambda:InvokeFunction on its rotation function too, which this role's policy does not allow`,
      { cause },
    );
  }
  return new SecretError(
    'SecretAccessDenied',
    `secretsmanager:RotateSecret on ${secretId} is denied to this role; its policy and the secret's resource policy must both allow it`,
    { cause },
  );
}
