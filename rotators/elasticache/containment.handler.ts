import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { elastiCache } from './rotator.ts';

/** Containment function for users of ElastiCache. */
export const handler = containmentHandler(elastiCache);
