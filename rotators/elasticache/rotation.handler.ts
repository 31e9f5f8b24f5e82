import { rotationHandler } from '../../lambdas/rotation/handler.ts';
import { elastiCache } from './rotator.ts';

/** Rotation function for users of ElastiCache. */
export const handler = rotationHandler(elastiCache);
