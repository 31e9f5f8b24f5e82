import { SSMClient } from '@aws-sdk/client-ssm';

/** Part of Systems Manager that a function uses. It is imported on demand, so that a bundle holds only this part. */
export { SsmBrakeStore } from './brake-store.ts';
export { SsmDefinitionStore } from './definition-store.ts';

let client: SSMClient | undefined;

/** Gives the one client of a function, which gives up early: a network may have no way to Systems Manager. */
export function promptClient(): SSMClient {
  client ??= new SSMClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
  });
  return client;
}
