import { rdsAdmin } from '../../rotators/rds-admin/rotator.ts';
import { containmentHandler } from './containment.ts';

/** Containment function for master passwords of RDS, Aurora, DocumentDB and Redshift. */
export const handler = containmentHandler(rdsAdmin);
