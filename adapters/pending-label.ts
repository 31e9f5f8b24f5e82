import { type SecretsManagerClient, UpdateSecretVersionStageCommand } from '@aws-sdk/client-secrets-manager';
import { stages } from '../core/secret/secret.ts';

/**
 * Takes AWSPENDING off a version. One that does not have the label is refused by Secrets Manager, and is what was wanted.
 * @throws what the SDK throws
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
 */
export async function removePendingLabel(
  client: SecretsManagerClient,
  secretId: string,
  versionId: string,
): Promise<void> {
  try {
    await client.send(
      new UpdateSecretVersionStageCommand({
        SecretId: secretId,
        VersionStage: stages.pending,
        RemoveFromVersionId: versionId,
      }),
    );
  } catch (error) {
    if (!(error instanceof Error && error.name === 'InvalidParameterException')) throw error;
  }
}
