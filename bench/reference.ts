import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** The least that a function which reads one secret loads; the yardstick for how long the others take to load. */
const client = new SecretsManagerClient({});

export const handler = (event: { SecretId: string }) => client.send(new GetSecretValueCommand(event));
