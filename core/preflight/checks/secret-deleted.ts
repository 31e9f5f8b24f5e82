import { dayOf } from '../../lifecycle/dates.ts';
import { changedUnderControl } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { valueIn } from '../facts.ts';
import { awsCommand } from '../words.ts';

/** Finds references to secrets whose deletion is scheduled; nobody can read such a secret. */
export const secretDeleted: ProofCheck<'SecretDeleted'> = {
  description: {
    id: 'SecretDeleted',
    severity: 'error',
    demand: 'The secret is not scheduled for deletion.',
    reason: 'Secrets Manager gives its value to nobody from the moment at which its deletion was asked for.',
    controls: changedUnderControl,
  },
  *check({ secret, region }) {
    const { arn, name, deleted } = valueIn(secret) ?? {};
    if (arn === undefined || deleted === undefined) return;
    yield {
      message: `${name} was deleted on ${dayOf(deleted)}; nobody can read it`,
      fix: `restore it while its recovery window lasts: ${awsCommand('restore-secret', arn, region)}`,
    };
  },
};
