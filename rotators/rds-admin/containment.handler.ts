import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { rdsAdmin } from './rotator.ts';

/** Containment function for master passwords of RDS, Aurora, DocumentDB and Redshift. */
export const handler = containmentHandler(rdsAdmin);
