import { generic } from '../../rotators/generic/rotator.ts';
import { rotationHandler } from './rotation.ts';

/** Rotation function for generic random values. */
export const handler = rotationHandler(generic);
