import { dayOf } from '../../lifecycle/dates.ts';
import { lifecycleTags } from '../../lifecycle/marks.ts';
import { changedRegularly } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret, valueIn } from '../facts.ts';

/** Finds references to secrets whose last day is over. */
export const secretExpired: ProofCheck<'SecretExpired'> = {
  description: {
    id: 'SecretExpired',
    severity: 'error',
    demand: 'The last day of the secret, where it has one, is not over.',
    reason: 'Its target refuses it, or will at the next run of what looks after the life of secrets.',
    controls: changedRegularly,
  },
  *check(facts) {
    const secret = livingSecret(facts);
    if (secret === undefined) return;
    const mark = secret.tags[lifecycleTags.expired]?.split(' ')[0];
    const { expires } = valueIn(facts.definition) ?? {};
    const over = expires !== undefined && expires < dayOf(facts.now) ? expires : undefined;
    // A last day that was put off counts for the tag, too, from the next rotation on.
    const ended = over ?? (mark === undefined || mark === '' ? undefined : mark);
    if (ended === undefined) return;
    yield {
      message: `${secret.name} ended on ${ended}`,
      fix: 'put its last day off in the configuration (expires) and deploy, or take the reference out',
    };
  },
};
