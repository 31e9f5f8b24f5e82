import type { CloudCredentials, LocalCloud } from '../../local/emulator/cloud.ts';

/**
 * The variables by which a deployed function takes some services from the local cloud and everything else from where it
 * is told.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export function servedBy(
  cloud: LocalCloud,
  services: readonly string[],
  { accessKeyId, secretAccessKey, sessionToken }: CloudCredentials,
): Record<string, string> {
  const endpoints = services.map((service) => [
    `AWS_ENDPOINT_URL_${service}`,
    `https://127.0.0.1:${cloud.port}`,
  ]);
  return {
    ...Object.fromEntries(endpoints),
    AWS_REGION: cloud.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
    NODE_EXTRA_CA_CERTS: cloud.certificateAuthorityFile,
  };
}
