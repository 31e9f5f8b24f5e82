import { iamAccessKey } from '../../rotators/iam-access-key/rotator.ts';
import { rotationHandler } from './rotation.ts';

/** Rotation function for access keys of IAM users. */
export const handler = rotationHandler(iamAccessKey);
