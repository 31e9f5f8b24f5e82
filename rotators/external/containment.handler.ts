import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { external } from './revoker.ts';

/** Containment function for secrets whose rotation function is not Rekey's. */
export const handler = containmentHandler(external);
