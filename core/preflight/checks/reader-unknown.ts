import { leastPrivilege } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret } from '../facts.ts';

/** Says where the role that reads is unknown. */
export const readerUnknown: ProofCheck<'ReaderUnknown'> = {
  description: {
    id: 'ReaderUnknown',
    severity: 'info',
    demand: 'It is known which role reads the secret.',
    reason: 'Whether it may read was not proven.',
    controls: leastPrivilege,
  },
  *check(facts) {
    if (livingSecret(facts) === undefined || facts.reader !== undefined) return;
    const { readBy, secret } = facts.reference;
    yield {
      message: `the manifest does not say by which role ${readBy?.name ?? 'its consumer'} reads ${secret}, so its permission was not proven`,
      fix: 'name it: rekey preflight … --reader <ARN of the role>, or readBy in rekey.references.yaml',
    };
  },
};
