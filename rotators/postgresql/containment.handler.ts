import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { postgresql } from './rotator.ts';

/** Containment function for PostgreSQL. */
export const handler = containmentHandler(postgresql);
