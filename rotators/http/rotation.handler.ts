import { rotationHandler } from '../../lambdas/rotation/handler.ts';
import { http } from './rotator.ts';

/** Rotation function for HTTP APIs. */
export const handler = rotationHandler(http);
