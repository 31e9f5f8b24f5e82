import type { LocalCloud } from '../../../local/emulator/cloud.ts';

/** The local cloud as it is in another account and region. An access key of 12 digits is of that account's root. */
export const cloudIn = (cloud: LocalCloud, accountId: string, region: string): LocalCloud => {
  const root = { accessKeyId: accountId, secretAccessKey: 'test' };
  return {
    ...cloud,
    accountId,
    region,
    environment: {
      ...cloud.environment,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: root.accessKeyId,
      AWS_SECRET_ACCESS_KEY: root.secretAccessKey,
    },
    clientOptions: (credentials = root) => ({ ...cloud.clientOptions(credentials), region }),
  };
};
