import { mysql } from '../../rotators/mysql/rotator.ts';
import { containmentHandler } from './containment.ts';

/** Containment function for MySQL and MariaDB. */
export const handler = containmentHandler(mysql);
