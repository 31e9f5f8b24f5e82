import { summarizeError, TargetError } from '../../core/errors/rekey-error.ts';
import { inTurns } from '../../core/pace/in-turns.ts';
import type { ProbeResult, Revoker, TargetContext } from '../../core/rotator.ts';

/** Tries one credential. Where a rotator itself fails, nothing was seen of the target, and others are still tried. */
export async function tryOne<S extends object>(
  rotator: Pick<Revoker<S>, 'probe'>,
  credential: S,
  context: TargetContext,
): Promise<ProbeResult> {
  try {
    return await rotator.probe(credential, context);
  } catch (error) {
    const { message } = summarizeError(error);
    return {
      outcome: 'unreachable',
      error:
        error instanceof TargetError
          ? error
          : new TargetError('TargetUnreachable', `the trial failed: ${message}`),
    };
  }
}

/**
 * Tries leaked credentials at the target, results in order. Servers count refused logins in a row and block the user after some.
 * So where a leaked credential is of the user that is in use, the current one logs in after each that was refused.
 */
export async function tryLeaked<S extends object>(
  rotator: Pick<Revoker<S>, 'probe' | 'identity'>,
  leaked: readonly { readonly credential: S; readonly identity: string }[],
  current: S,
  context: TargetContext,
): Promise<ProbeResult[]> {
  const identity = rotator.identity(current);
  const results = new Map<object, ProbeResult>();
  const chains = [...Map.groupBy(leaked, (leak) => (leak.identity === identity ? identity : leak)).values()];
  await inTurns(chains, async (chain) => {
    for (const leak of chain) {
      const result = await tryOne(rotator, leak.credential, context);
      results.set(leak, result);
      if (result.outcome === 'rejected' && leak.identity === identity)
        await tryOne(rotator, current, context);
    }
  });
  return leaked.flatMap((leak) => results.get(leak) ?? []);
}
