import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { redis } from './rotator.ts';

/** Containment function for Redis and Valkey. */
export const handler = containmentHandler(redis);
