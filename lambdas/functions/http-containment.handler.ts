import { http } from '../../rotators/http/rotator.ts';
import { containmentHandler } from './containment.ts';

/** Containment function for HTTP APIs. */
export const handler = containmentHandler(http);
