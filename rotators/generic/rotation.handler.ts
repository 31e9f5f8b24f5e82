import { rotationHandler } from '../../lambdas/rotation/handler.ts';
import { generic } from './rotator.ts';

/** Rotation function for generic random values. */
export const handler = rotationHandler(generic);
