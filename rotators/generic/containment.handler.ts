import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { generic } from './rotator.ts';

/** Containment function for generic random values. */
export const handler = containmentHandler(generic);
