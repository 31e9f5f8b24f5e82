import { containmentEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { createIamAccessKey } from '../../rotators/iam-access-key/rotator.ts';
import { cutoffBy } from '../../rotators/iam-access-key/session-cutoff-call.ts';
import { containmentHandler } from './containment.ts';

const { REKEY_SESSION_CUTOFF_FUNCTION: name } = readEnvironment(containmentEnvironmentSchema);

/** Containment function for access keys of IAM users. */
export const handler = containmentHandler(
  createIamAccessKey(name === undefined ? {} : { cutoff: cutoffBy(name) }),
);
