import { readEnvironment, sessionCutoffEnvironmentSchema } from '../../core/deployed/variables.ts';
import { Aws } from '../../rotators/iam-access-key/aws.ts';
import { type CutoffAnswer, cutOff, parseCutoff } from '../../rotators/iam-access-key/session-cutoff.ts';
import { standardHandler } from './standard-handler.ts';

readEnvironment(sessionCutoffEnvironmentSchema);
const aws = new Aws({});
/** Limits for two calls to IAM. Both end within the time of the function and of whoever waits for it. */
const context = { connectTimeoutMs: 2_000, statementTimeoutMs: 3_500, finding: () => undefined };

/** Ends sessions of IAM users, for the containment function alone. */
export const handler = standardHandler<unknown, CutoffAnswer>(async (event) => {
  const before = await cutOff(aws, parseCutoff(event, new Date()), context);
  return { before: before?.toISOString() ?? null };
});
