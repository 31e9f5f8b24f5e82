import { generic } from '../../rotators/generic/rotator.ts';
import { containmentHandler } from './containment.ts';

/** Containment function for generic random values. */
export const handler = containmentHandler(generic);
