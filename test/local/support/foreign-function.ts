import {
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';

/**
 * A rotation function as somebody else would write it, step by step after AWS's own template, knowing nothing of Rekey.
 * `FAIL_AT` names a step to fail in; the database that it would log in to is left out.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */

interface RotationEvent {
  readonly Step: string;
  readonly SecretId: string;
  readonly ClientRequestToken: string;
}

const client = new SecretsManagerClient({});

async function jsonOf(SecretId: string, which: { VersionStage: string; VersionId?: string }) {
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId, ...which }));
  return JSON.parse(SecretString) as Record<string, unknown>;
}

async function createSecret({ SecretId, ClientRequestToken }: RotationEvent): Promise<void> {
  const current = await jsonOf(SecretId, { VersionStage: 'AWSCURRENT' });
  try {
    await jsonOf(SecretId, { VersionStage: 'AWSPENDING', VersionId: ClientRequestToken });
  } catch {
    const { RandomPassword } = await client.send(
      new GetRandomPasswordCommand({ ExcludeCharacters: '/@"\'\\' }),
    );
    await client.send(
      new PutSecretValueCommand({
        SecretId,
        ClientRequestToken,
        SecretString: JSON.stringify({ ...current, password: RandomPassword }),
        VersionStages: ['AWSPENDING'],
      }),
    );
  }
}

async function finishSecret({ SecretId, ClientRequestToken }: RotationEvent): Promise<void> {
  const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
  const current = Object.keys(VersionIdsToStages).find((id) =>
    VersionIdsToStages[id]?.includes('AWSCURRENT'),
  );
  if (current === ClientRequestToken) return;
  await client.send(
    new UpdateSecretVersionStageCommand({
      SecretId,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: ClientRequestToken,
      RemoveFromVersionId: current,
    }),
  );
}

export const handler = async (event: RotationEvent): Promise<void> => {
  console.log(`rotation-event ${JSON.stringify(event)}`);
  if (process.env.FAIL_AT === event.Step)
    throw new Error('ORA-01017: invalid username/password; logon denied');
  if (event.Step === 'createSecret') await createSecret(event);
  if (event.Step === 'testSecret') {
    const { SecretId, ClientRequestToken: VersionId } = event;
    await jsonOf(SecretId, { VersionStage: 'AWSPENDING', VersionId });
  }
  if (event.Step === 'finishSecret') await finishSecret(event);
};
