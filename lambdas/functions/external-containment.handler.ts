import { external } from '../../rotators/external/revoker.ts';
import { containmentHandler } from './containment.ts';

/** Containment function for secrets whose rotation function is not Rekey's. */
export const handler = containmentHandler(external);
