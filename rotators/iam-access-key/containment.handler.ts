import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { iamAccessKey } from './rotator.ts';

/** Containment function for access keys of IAM users. */
export const handler = containmentHandler(iamAccessKey);
