import { SSMClient } from '@aws-sdk/client-ssm';

/** What a function takes of Systems Manager, to be imported on demand: a bundle then holds only this part. */
export { SsmBrakeStore } from './brake-store.ts';
export { SsmDefinitionStore } from './definition-store.ts';

let client: SSMClient | undefined;

/** The one client of a function, which gives up early: a network may have no way to Systems Manager. */
export function promptClient(): SSMClient {
  client ??= new SSMClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
  });
  return client;
}
