import { elastiCache } from '../../rotators/elasticache/rotator.ts';
import { containmentHandler } from './containment.ts';

/** Containment function for users of ElastiCache. */
export const handler = containmentHandler(elastiCache);
