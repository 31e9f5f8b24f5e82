import { inTurns } from '../../core/pace/in-turns.ts';
import type { ProbeResult, Revoker, TargetContext } from '../../core/rotator.ts';

/**
 * Tries leaked credentials at the target, results in order. Servers count refused logins in a row and block the user after
 * some, so where a leaked credential is of the user that is in use, the current one logs in after each that was refused.
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
      const result = await rotator.probe(leak.credential, context);
      results.set(leak, result);
      if (result.outcome === 'rejected' && leak.identity === identity) await rotator.probe(current, context);
    }
  });
  return leaked.flatMap((leak) => results.get(leak) ?? []);
}
