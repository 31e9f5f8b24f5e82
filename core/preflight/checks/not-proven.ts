import { changedUnderControl } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { type Answer, type Gap, livingSecret, type ReferenceFacts } from '../facts.ts';
import { readerAccess } from '../reader.ts';

/** Says what could not be asked or decided. Such a reference never counts as proven. */
export const notProven: ProofCheck<'NotProven'> = {
  description: {
    id: 'NotProven',
    severity: 'warning',
    unproven: true,
    demand: 'Everything that the check asks for is answered.',
    reason: 'What was not answered was not proven, and may be wrong.',
    controls: changedUnderControl,
  },
  *check(facts) {
    const seen = new Set<string>();
    for (const [what, answer] of asked(facts)) {
      if (answer === undefined || answer.known) continue;
      const { gap } = answer;
      // Of one thing that is denied, several answers may lack.
      if (seen.has(gap.permission ?? gap.message)) continue;
      seen.add(gap.permission ?? gap.message);
      yield { message: `${what} not proven: ${gap.message}`, fix: fixOf(gap) };
    }
    const access = readerAccess(facts);
    if (access?.may !== 'depends') return;
    yield {
      message: `whether ${facts.reader?.arn} may read ${livingSecret(facts)?.name} was not proven: its policies ask for ${access.on.join(', ')}, which only the request itself has`,
      fix: 'read it once as that role, from where it runs: aws secretsmanager get-secret-value … > /dev/null',
    };
  },
};

const asked = (facts: ReferenceFacts): readonly (readonly [string, Answer<unknown> | undefined])[] => [
  ['that the secret is there was', facts.secret],
  ['expiry and age were', facts.definition],
  ['that no revocation stands open was', facts.revocation],
  ['the key in the value was', facts.shape],
  ['the permission of the role was', facts.reader?.role],
  ['who may read, by the policy of the secret, was', facts.policy],
  ['who may read, by the KMS key, was', facts.key],
  ['how many may read was', facts.principals],
  ['that the target accepts the credential was', facts.trial],
];

function fixOf({ code, permission }: Gap): string {
  if (permission !== undefined) {
    return `allow ${permission} to the role of this check; rekey preflight --print-policy shows all that it needs`;
  }
  if (code === 'NotAsked') return 'run the check with AWS: without --offline';
  if (code === 'Throttled') return 'run it again, with a lower --concurrency';
  return 'remove the cause, then run the check again';
}
