import { postgresql } from '../../rotators/postgresql/rotator.ts';
import { rotationHandler } from './rotation.ts';

/** Rotation function for PostgreSQL. */
export const handler = rotationHandler(postgresql);
