import { redis } from '../../rotators/redis/rotator.ts';
import { rotationHandler } from './rotation.ts';

/** Rotation function for Redis and Valkey. */
export const handler = rotationHandler(redis);
