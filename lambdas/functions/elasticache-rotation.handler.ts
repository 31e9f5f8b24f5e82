import { elastiCache } from '../../rotators/elasticache/rotator.ts';
import { rotationHandler } from './rotation.ts';

/** Rotation function for users of ElastiCache. */
export const handler = rotationHandler(elastiCache);
