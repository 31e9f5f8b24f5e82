import { pausedUntil } from '../../deployed/pause.ts';
import { dayOf } from '../../lifecycle/dates.ts';
import { shellWord } from '../../shell-word.ts';
import { changedRegularly } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret, valueIn } from '../facts.ts';
import { awsCommand } from '../words.ts';

const dayMs = 86_400_000;

/** Finds secrets whose rotation or replacement is due. */
export const secretOverdue: ProofCheck<'SecretOverdue'> = {
  description: {
    id: 'SecretOverdue',
    severity: 'warning',
    demand: 'The secret was rotated, or replaced, when it was due.',
    reason: 'Something keeps it from being rotated, and its credential gets older than the policy allows.',
    controls: changedRegularly,
  },
  *check(facts) {
    const secret = livingSecret(facts);
    if (secret === undefined) return;
    const { now } = facts;
    const definition = valueIn(facts.definition);
    const fix =
      definition?.type !== undefined
        ? `rekey secret rotate ${shellWord(secret.name)} --wait`
        : secret.rotationEnabled
          ? awsCommand('rotate-secret', secret.arn, facts.region)
          : `replace it at its target, then: ${awsCommand('put-secret-value', secret.arn, facts.region, '--secret-string file://new.json')}`;
    const { nextRotation, lastRotated, lastChanged, created, rotationEnabled } = secret;
    const isPaused = pausedUntil(secret.tags, now) !== undefined;
    if (rotationEnabled && nextRotation !== undefined && nextRotation < now && !isPaused) {
      yield { message: `${secret.name} was to be rotated by ${dayOf(nextRotation)}`, fix };
      return;
    }
    const changed = lastRotated ?? lastChanged ?? created;
    const limit = definition?.maximumAgeDays;
    if (limit === undefined || changed === undefined) return;
    const age = Math.floor((now.getTime() - changed.getTime()) / dayMs);
    if (age <= limit) return;
    yield {
      message: `${secret.name} was last changed on ${dayOf(changed)}, ${age} days ago, and may be ${limit} days old`,
      fix,
    };
  },
};
