import { availableParallelism, loadavg } from 'node:os';

/** How long a target may take to answer; not reaching it is nobody's promise. */
export const patience = { connectTimeoutMs: 60_000, statementTimeoutMs: 60_000 } as const;

/** How many times slower than alone this machine works, by its load when the test began. */
const slowness = Math.min(10, Math.max(1, (loadavg()[0] ?? 0) / availableParallelism()));

/** A run that the suite kills is dead at once; this leaves room for twins that run at the same time. */
export const runLivesMs = Math.ceil(400 * slowness);

/** The same where many run at once, each slowly. */
export const runLivesAmongManyMs = Math.ceil(1_200 * slowness);
