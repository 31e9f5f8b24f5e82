import { http } from '../../rotators/http/rotator.ts';
import { rotationHandler } from './rotation.ts';

/** Rotation function for HTTP APIs. */
export const handler = rotationHandler(http);
