import { rotationHandler } from '../../lambdas/rotation/handler.ts';
import { mysql } from './rotator.ts';

/** Rotation function for MySQL and MariaDB. */
export const handler = rotationHandler(mysql);
