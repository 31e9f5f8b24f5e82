import { stages } from '../../secret/secret.ts';
import { leastPrivilege } from '../../template/controls.ts';
import { accessTo, accountIn } from '../access.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret, type ReferenceFacts, valueIn } from '../facts.ts';
import type { KnownSecret } from '../ports.ts';
import { awsCommand, firstOf } from '../words.ts';

/** Finds secrets that more principals may read than anybody means. */
export const readableByTooMany: ProofCheck<'ReadableByTooMany'> = {
  description: {
    id: 'ReadableByTooMany',
    severity: 'warning',
    demand:
      'No more roles and users of the account may read the secret than the limit says, and nobody at large.',
    reason: 'Whoever gets into one of them has the credential.',
    controls: leastPrivilege,
  },
  *check(facts, { maximumReaders }) {
    const secret = livingSecret(facts);
    if (secret === undefined || facts.policy?.known !== true) return;
    if (isOpen(facts)) {
      yield {
        message: `the resource policy of ${secret.name} lets everybody read it, whatever the account`,
        fix: `name the roles in it that read: ${awsCommand('put-resource-policy', secret.arn, facts.region, '--resource-policy file://policy.json --block-public-policy')}`,
      };
      return;
    }
    const readers = readersOf(facts, secret);
    if (readers === undefined || readers.length <= maximumReaders) return;
    yield {
      message: `${readers.length} roles and users may read ${secret.name}, and ${maximumReaders} are the limit: ${firstOf(readers.map(shortName))}`,
      fix: 'take secretsmanager:GetSecretValue on all secrets from those that need few, or say how many are meant: --max-readers',
    };
  },
};

/** Tells whether a policy lets anybody of any account in, without a condition. */
const isOpen = ({ policy }: ReferenceFacts): boolean =>
  (valueIn(policy)?.Statement ?? []).some(
    ({ Effect, Principal, Action, NotAction, Condition }) =>
      Effect === 'Allow' &&
      Principal?.AWS?.includes('*') === true &&
      Object.keys(Condition ?? {}).length === 0 &&
      (NotAction !== undefined ||
        (Action ?? []).some((one) =>
          /^(?:\*|secretsmanager:(?:\*|get\*|getsecret\*|getsecretvalue))$/i.test(one),
        )),
  );

const found = new WeakMap<object, readonly string[]>();

/** Lists who may read for sure. Those for whom it depends on the request are not counted. */
function readersOf(facts: ReferenceFacts, secret: KnownSecret): readonly string[] | undefined {
  const principals = valueIn(facts.principals);
  const key = valueIn(facts.key);
  if (principals === undefined || (facts.key !== undefined && key === undefined)) return undefined;
  // Many references name one secret, which is asked about once.
  const before = found.get(secret);
  if (before !== undefined) return before;
  const policy = valueIn(facts.policy);
  const readers = principals
    .filter(({ arn }) => accountIn(arn) === accountIn(secret.arn))
    .filter(
      (principal) =>
        accessTo({
          principal,
          secret,
          stage: stages.current,
          now: facts.now,
          ...(policy !== undefined && { policy }),
          ...(key !== undefined && { key }),
        }).may === 'yes',
    )
    .map(({ arn }) => arn);
  found.set(secret, readers);
  return readers;
}

const shortName = (arn: string): string => arn.split(':').slice(5).join(':');
