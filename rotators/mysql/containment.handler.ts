import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { mysql } from './rotator.ts';

/** Containment function for MySQL and MariaDB. */
export const handler = containmentHandler(mysql);
