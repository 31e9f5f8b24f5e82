import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';

interface RotationEvent {
  readonly Step: string;
  readonly SecretId: string;
  readonly ClientRequestToken: string;
  readonly RotationToken?: string;
}

const client = new SecretsManagerClient({ maxAttempts: 1 });

async function createPending({ SecretId, ClientRequestToken: VersionId }: RotationEvent): Promise<void> {
  try {
    await client.send(new GetSecretValueCommand({ SecretId, VersionId, VersionStage: 'AWSPENDING' }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    await client.send(
      new PutSecretValueCommand({
        SecretId,
        ClientRequestToken: VersionId,
        SecretString: `value of ${VersionId}`,
        VersionStages: ['AWSPENDING'],
      }),
    );
  }
}

async function finish({ SecretId, ClientRequestToken }: RotationEvent): Promise<void> {
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

/** A rotation function for a secret that no target checks; `FAIL_AT` and `SLOW_AT` name a step to misbehave in. */
export const handler = async (event: RotationEvent): Promise<void> => {
  console.log(`rotation-event ${JSON.stringify(event)}`);
  if (process.env.SLOW_AT === event.Step) await new Promise((resolve) => setTimeout(resolve, 1_500));
  if (process.env.FAIL_AT === event.Step) throw new Error(`asked to fail at ${event.Step}`);
  if (event.Step === 'createSecret') await createPending(event);
  if (event.Step === 'testSecret') {
    const { SecretId, ClientRequestToken: VersionId } = event;
    await client.send(new GetSecretValueCommand({ SecretId, VersionId, VersionStage: 'AWSPENDING' }));
  }
  if (event.Step === 'finishSecret') await finish(event);
};
