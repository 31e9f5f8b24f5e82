import { rotationHandler } from '../../lambdas/rotation/handler.ts';
import { redis } from './rotator.ts';

/** Rotation function for Redis and Valkey. */
export const handler = rotationHandler(redis);
