/** What reading definitions takes, to be imported on demand: a bundle then holds only this part. */
export { SSMClient } from '@aws-sdk/client-ssm';
export { SsmDefinitionStore } from './definition-store.ts';
