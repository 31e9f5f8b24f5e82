import { redshift } from '../../rotators/redshift/rotator.ts';
import { containmentHandler } from './containment.ts';

/** Containment function for Redshift. */
export const handler = containmentHandler(redshift);
