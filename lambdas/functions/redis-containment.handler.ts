import { redis } from '../../rotators/redis/rotator.ts';
import { containmentHandler } from './containment.ts';

/** Containment function for Redis and Valkey. */
export const handler = containmentHandler(redis);
