import { SecretError } from '../../core/errors/rekey-error.ts';
import { lookUntil, type WithWait } from '../../core/pace/patience.ts';
import type { SecretStore } from '../../core/ports.ts';
import { type SecretDescription, stages } from '../../core/secret/secret.ts';

/**
 * Moves AWSCURRENT to a version, once, however many runs of the step there are.
 * @throws SecretError `CurrentMoved` | `SecretValueMissing`
 */
export async function moveCurrent(
  { arn, name }: SecretDescription,
  { to, from }: { readonly to: string; readonly from: string | undefined },
  { store, wait }: WithWait & { readonly store: Pick<SecretStore, 'describe' | 'moveCurrent'> },
): Promise<void> {
  if (from === undefined) {
    throw new SecretError(
      'SecretValueMissing',
      `no version of ${name} is labelled ${stages.current}; store one first`,
    );
  }
  const move = async (): Promise<'moved' | { readonly refusal: unknown }> => {
    try {
      await store.moveCurrent(arn, { to, from });
      return 'moved';
    } catch (refusal) {
      // A duplicate of this step may have been faster.
      const now = await store.describe(arn);
      return now.versions[to]?.includes(stages.current) ? 'moved' : { refusal };
    }
  };
  // The refusal as well as the labels may be old: only a version that really holds the label can be moved from.
  const result = await lookUntil(move, (answer) => answer === 'moved' || !isOvertaken(answer.refusal), wait);
  if (result !== 'moved') throw result.refusal;
}

/** Tells whether AWSCURRENT was elsewhere than the description had it. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof SecretError && error.code === 'CurrentMoved';
