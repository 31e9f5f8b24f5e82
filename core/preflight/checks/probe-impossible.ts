import { changedUnderControl } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret, valueIn } from '../facts.ts';

/** Says where a credential was to be tried and nobody could tell whether it works. */
export const probeImpossible: ProofCheck<'ProbeImpossible'> = {
  description: {
    id: 'ProbeImpossible',
    severity: 'warning',
    unproven: true,
    demand: 'The target of the credential answers from where the check runs, with --probe.',
    reason: 'Whether the credential works was not proven.',
    controls: changedUnderControl,
  },
  *check(facts) {
    const secret = livingSecret(facts);
    const trial = valueIn(facts.trial);
    if (secret === undefined || trial?.outcome !== 'unproven') return;
    yield {
      message: `the credential of ${secret.name} could not be tried from here: ${trial.message}`,
      fix: 'run the check where the target can be reached, or without --probe',
    };
  },
};
