import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { redshift } from './rotator.ts';

/** Containment function for Redshift. */
export const handler = containmentHandler(redshift);
