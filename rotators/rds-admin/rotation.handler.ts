import { rotationHandler } from '../../lambdas/rotation/handler.ts';
import { rdsAdmin } from './rotator.ts';

/** Rotation function for master passwords of RDS, Aurora, DocumentDB and Redshift. */
export const handler = rotationHandler(rdsAdmin);
