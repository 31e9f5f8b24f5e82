import { mysql } from '../../rotators/mysql/rotator.ts';
import { rotationHandler } from './rotation.ts';

/** Rotation function for MySQL and MariaDB. */
export const handler = rotationHandler(mysql);
