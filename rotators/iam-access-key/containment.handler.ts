import { containmentHandler } from '../../lambdas/revocation/containment.ts';
import { containmentEnvironmentSchema, readEnvironment } from '../../lambdas/shared/environment.ts';
import { createIamAccessKey } from './rotator.ts';
import { cutoffBy } from './session-cutoff-call.ts';

const { REKEY_SESSION_CUTOFF_FUNCTION: name } = readEnvironment(containmentEnvironmentSchema);

/** Containment function for access keys of IAM users. */
export const handler = containmentHandler(
  createIamAccessKey(name === undefined ? {} : { cutoff: cutoffBy(name) }),
);
