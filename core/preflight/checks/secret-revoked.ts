import type { Control } from '../../policy/control.ts';
import { shellWord } from '../../shell-word.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret, valueIn } from '../facts.ts';

const controls: readonly Control[] = [
  'SOC 2 CC7.4',
  'ISO 27001:2022 A.5.26',
  'NIST 800-53 r5 IR-4',
  'OWASP NHI 2025 NHI2',
];

/** Finds secrets that were revoked and not rotated since, by the audit log. */
export const secretRevoked: ProofCheck<'SecretRevoked'> = {
  description: {
    id: 'SecretRevoked',
    severity: 'error',
    demand: 'No revocation of the secret stands open: a rotation has followed each.',
    reason: 'Its target refuses the credential, or will within minutes.',
    controls,
  },
  *check(facts) {
    const secret = livingSecret(facts);
    const open = valueIn(facts.revocation);
    if (secret === undefined || open === undefined) return;
    const { since, state, incident } = open;
    yield {
      message: `the revocation of ${secret.name} of ${since} ${state === 'failed' ? 'failed' : 'is under way'}, and no rotation has followed it`,
      fix:
        state === 'failed' && incident !== undefined
          ? `rekey incident retry ${shellWord(incident)}`
          : state === 'failed'
            ? `rekey secret rotate ${shellWord(secret.name)} --wait`
            : `wait for its end: rekey audit tail --since 1h --secret ${shellWord(secret.name)}`,
    };
  },
};
