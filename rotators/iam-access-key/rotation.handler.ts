import { rotationHandler } from '../../lambdas/rotation/handler.ts';
import { iamAccessKey } from './rotator.ts';

/** Rotation function for access keys of IAM users. */
export const handler = rotationHandler(iamAccessKey);
