import { standardHandler } from '../../lambdas/shared/chain.ts';
import { readEnvironment, sessionCutoffEnvironmentSchema } from '../../lambdas/shared/environment.ts';
import { Aws } from './aws.ts';
import { type CutoffAnswer, cutOff, parseCutoff } from './session-cutoff.ts';

readEnvironment(sessionCutoffEnvironmentSchema);
const aws = new Aws({});
/** Two calls to IAM, so that both end within the time of the function and of whoever waits for it. */
const context = { connectTimeoutMs: 2_000, statementTimeoutMs: 3_500, finding: () => undefined };

/** Function that ends sessions of IAM users, for the containment function alone. */
export const handler = standardHandler<unknown, CutoffAnswer>(async (event) => {
  const before = await cutOff(aws, parseCutoff(event, new Date()), context);
  return { before: before?.toISOString() ?? null };
});
