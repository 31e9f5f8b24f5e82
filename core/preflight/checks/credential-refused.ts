import { shellWord } from '../../shell-word.ts';
import { changedUnderControl } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret, valueIn } from '../facts.ts';
import { awsCommand } from '../words.ts';

/** Finds credentials that their target refuses, tried from where the check runs. */
export const credentialRefused: ProofCheck<'CredentialRefused'> = {
  description: {
    id: 'CredentialRefused',
    severity: 'error',
    demand: 'The target accepts the credential, with --probe.',
    reason: 'Whoever reads the secret cannot log in with it.',
    controls: changedUnderControl,
  },
  *check(facts) {
    const secret = livingSecret(facts);
    const trial = valueIn(facts.trial);
    if (secret === undefined || trial?.outcome !== 'rejected') return;
    const definition = valueIn(facts.definition);
    yield {
      message: `the target refuses the credential of ${secret.name}: ${trial.message}`,
      fix:
        definition?.type === undefined
          ? `store the credential that the target accepts: ${awsCommand('put-secret-value', secret.arn, facts.region, '--secret-string file://new.json')}`
          : `rekey secret rotate ${shellWord(secret.name)} --wait`,
    };
  },
};
