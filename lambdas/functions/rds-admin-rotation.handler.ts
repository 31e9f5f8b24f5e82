import { rdsAdmin } from '../../rotators/rds-admin/rotator.ts';
import { rotationHandler } from './rotation.ts';

/** Rotation function for master passwords of RDS, Aurora, DocumentDB and Redshift. */
export const handler = rotationHandler(rdsAdmin);
