import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoTrailMemory } from '../../adapters/trail-memory.ts';

/** Settings of short patience: a plan in an emergency goes on without what the trail tells. */
const quick = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000 },
} as const;

/**
 * Opens the memory of who really read.
 * @returns undefined where the environment has no trail
 */
export const whoRead = (table: string | undefined): DynamoTrailMemory | undefined =>
  table === undefined ? undefined : new DynamoTrailMemory(new DynamoDBClient(quick), table);
