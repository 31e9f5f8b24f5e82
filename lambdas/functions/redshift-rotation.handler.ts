import { redshift } from '../../rotators/redshift/rotator.ts';
import { rotationHandler } from './rotation.ts';

/** Rotation function for Redshift. */
export const handler = rotationHandler(redshift);
