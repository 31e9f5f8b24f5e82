import { changedUnderControl } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';

/**
 * Pattern of a name or an ARN of a secret; a colon is in no name.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html#SecretsManager-CreateSecret-request-Name
 */
export const possibleSecret =
  /^(?:[\w/+=.@!-]{1,512}|arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@!-]{1,519})$/;

/** Finds names and ARNs that no secret can have. */
export const nameInvalid: ProofCheck<'NameInvalid'> = {
  description: {
    id: 'NameInvalid',
    severity: 'error',
    demand: 'A reference names its secret by a name or an ARN that Secrets Manager takes.',
    reason: 'The read fails, whatever secrets there are.',
    controls: changedUnderControl,
  },
  *check({ reference: { secret } }) {
    if (possibleSecret.test(secret)) return;
    yield {
      message: `${JSON.stringify(secret.slice(0, 200))} can be no name and no ARN of a secret: a name holds up to 512 letters, digits and /_+=.@!-`,
      fix: 'write the name, or the ARN that aws secretsmanager describe-secret shows',
    };
  },
};
