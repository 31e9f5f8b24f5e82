import { postgresql } from '../../rotators/postgresql/rotator.ts';
import { containmentHandler } from './containment.ts';

/** Containment function for PostgreSQL. */
export const handler = containmentHandler(postgresql);
