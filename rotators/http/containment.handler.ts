import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { http } from './rotator.ts';

/** Containment function for HTTP APIs. */
export const handler = containmentHandler(http);
