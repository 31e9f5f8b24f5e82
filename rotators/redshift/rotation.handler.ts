import { rotationHandler } from '../../lambdas/rotation/handler.ts';
import { redshift } from './rotator.ts';

/** Rotation function for Redshift. */
export const handler = rotationHandler(redshift);
