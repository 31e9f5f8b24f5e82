import { shellWord } from '../../shell-word.ts';
import { near } from '../../suggest.ts';
import { changedUnderControl } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { namesOf } from '../environments.ts';
import { valueIn } from '../facts.ts';
import { awsCommand } from '../words.ts';
import { possibleSecret } from './name-invalid.ts';

/** Finds references to secrets that are not there. */
export const secretMissing: ProofCheck<'SecretMissing'> = {
  description: {
    id: 'SecretMissing',
    severity: 'error',
    demand: 'The secret is there, in the account and the region in which it is read.',
    reason: 'Whoever reads it does not start, or fails when it first needs the secret.',
    controls: changedUnderControl,
  },
  *check({ reference: { secret: id }, region, secret, names }) {
    if (!secret.known || secret.value !== undefined || !possibleSecret.test(id)) return;
    const there = valueIn(names) ?? [];
    const wanted = namesOf(id);
    // An ARN names one secret for ever: one that was made again under the same name has other characters at its end.
    const again = id.startsWith('arn:') ? there.find((name) => wanted.includes(name)) : undefined;
    if (again !== undefined) {
      yield {
        message: `there is no ${id}; the secret ${again} is another one, made later under the same name`,
        fix: `take its ARN: ${awsCommand('describe-secret', again, region, '--query ARN --output text')}`,
      };
      return;
    }
    const [bare = id] = wanted;
    const meant = near(bare, there);
    yield {
      message: `there is no secret ${bare} in ${region}${meant.length > 0 ? `; did the manifest mean ${meant.join(' or ')}?` : ''}`,
      fix:
        meant.length > 0
          ? `correct the name in the manifest to ${meant[0]}`
          : `make it, or correct the manifest: aws secretsmanager list-secrets --region ${shellWord(region)} --query SecretList[].Name`,
    };
  },
};
