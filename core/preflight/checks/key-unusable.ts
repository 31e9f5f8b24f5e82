import { shellWord } from '../../shell-word.ts';
import { changedUnderControl } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret } from '../facts.ts';

const remedies: Readonly<Record<string, string>> = {
  Disabled: 'enable-key',
  PendingDeletion: 'cancel-key-deletion',
};

/** Finds secrets under KMS keys that are gone, disabled or about to be deleted. */
export const keyUnusable: ProofCheck<'KeyUnusable'> = {
  description: {
    id: 'KeyUnusable',
    severity: 'error',
    demand: 'The KMS key of the secret is there and enabled.',
    reason: 'Nobody can read a secret whose key cannot be used.',
    controls: changedUnderControl,
  },
  *check(facts) {
    const secret = livingSecret(facts);
    if (secret === undefined || facts.key?.known !== true) return;
    const key = facts.key.value;
    if (key === undefined) {
      yield {
        message: `the KMS key ${secret.keyId} of ${secret.name} does not exist`,
        fix: 'give the secret a key and a new value; what was encrypted under the old one is lost',
      };
    } else if (key.state !== 'Enabled') {
      const command = remedies[key.state];
      yield {
        message: `the KMS key ${key.arn} of ${secret.name} is ${key.state}`,
        fix:
          command === undefined
            ? 'make the key usable again: its state says what it waits for'
            : `aws kms ${command} --key-id ${shellWord(key.arn)} --region ${shellWord(facts.region)}`,
      };
    }
  },
};
