import type { SignalKind } from '../../core/signal/signal.ts';
import { approvedModes } from './approvals.ts';
import type { Problem } from './problem.ts';
import type { LooseEnvironment } from './schema.ts';

/** Tells whether an environment listens to anything outside. */
export const hasSignals = ({
  signals,
  honeySecrets,
}: Pick<LooseEnvironment, 'signals' | 'honeySecrets'>): boolean =>
  Object.values(signals).some((one) => one !== undefined) || Object.keys(honeySecrets).length > 0;

/** Tells whether any signal requests revocations. */
export const actsOnSignals = ({ signals }: Pick<LooseEnvironment, 'signals'>): boolean =>
  Object.values(signals).some((one) => one?.answer === 'act');

/** Kinds whose messages name keys and values, and never a secret. */
const byFingerprint: readonly SignalKind[] = ['health', 'guardduty', 'githubPartner', 'gitlab'];

/** Finds signals that could never be answered as the configuration says. */
export function checkSignals(environment: LooseEnvironment): Problem[] {
  const { signals, fingerprints, approvals } = environment;
  const approved = approvedModes(approvals);
  return Object.entries(signals).flatMap(([kind, policy]) => {
    if (policy === undefined) return [];
    const problems: Problem[] = [];
    if (policy.answer === 'act' && approved.includes(policy.mode)) {
      problems.push({
        path: ['signals', kind, 'answer'],
        message: `${policy.mode} needs a second person here, and a signal has no author whom another could approve; ask, or choose another mode`,
      });
    }
    if (!fingerprints && policy.answer !== 'record' && (byFingerprint as readonly string[]).includes(kind)) {
      problems.push({
        path: ['signals', kind],
        message: 'needs fingerprints: true, by which the secret of a key or a value is found',
      });
    }
    return problems;
  });
}
