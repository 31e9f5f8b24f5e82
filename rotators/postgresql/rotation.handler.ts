import { rotationHandler } from '../../lambdas/rotation/handler.ts';
import { postgresql } from './rotator.ts';

/** Rotation function for PostgreSQL. */
export const handler = rotationHandler(postgresql);
