import type { ContainmentInput, VerifyOutcome } from '../../core/deployed/revocation-state.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { Verification } from '../../core/events/catalogue.ts';
import type { ProbeResult } from '../../core/rotator.ts';
import type { ContainmentDependencies } from './contain.ts';
import { type Leak, readLeaks } from './leaked-versions.ts';
import { tryLeaked, tryOne } from './trials.ts';

/**
 * Proves that every leaked credential is dead by trying it, and that the current one works. Where nothing that Rekey can
 * reach accepts or refuses a credential, its outcome is `unverifiable`: neither proven nor disproved. There is no `refusedAt` then.
 *
 * @throws RekeyError `RevocationUnproven` when a leaked credential still works, the current one does not, or a named
 * version cannot be tried
 * @throws TargetError when the target gave no clear answer
 */
export async function verifyLeaks<S extends object>(
  input: ContainmentInput,
  dependencies: ContainmentDependencies<S>,
): Promise<VerifyOutcome> {
  const { rotator, target, origin } = dependencies;
  const leaks = await readLeaks(input, dependencies);
  const { current, currentFault, currentVersionId, found, unavailable, sameAsCurrent } = leaks;
  const context = { ...target, finding: () => undefined };
  const revoked = leaks.stillCurrent ?? currentVersionId;
  if (revoked !== input.newVersionId && leaks.leaked.includes(revoked)) {
    throw unproven(`version ${revoked} was revoked and is still the current one of ${input.secretName}`);
  }
  if (sameAsCurrent !== undefined) {
    throw unproven(
      `the current version ${currentVersionId} of ${input.secretName} holds the very value that leaked in version ${sameAsCurrent.versionIds.join(', ')}: the rotation changed nothing`,
    );
  }
  if (current === undefined) {
    if (currentFault !== undefined) throw currentFault;
    throw unproven(
      `${input.secretName} holds its first value, which no target was told: there is nothing to prove before it has rotated`,
    );
  }
  const results = await tryLeaked(rotator, found, current, context);
  const refusedAt = origin.clock.now().toISOString();
  const currentResult = await tryOne(rotator, current, context);
  for (const [index, result] of results.entries()) {
    const { versionIds = [], identity = '' } = found[index] ?? {};
    if (result.outcome === 'accepted') {
      throw unproven(
        `the target still accepts the credential of ${identity} in version ${versionIds.join(', ')} of ${input.secretName}`,
      );
    }
  }
  if (currentFault !== undefined) throw currentFault;
  for (const result of [...results, currentResult]) {
    if (result.outcome === 'unreachable') {
      throw result.error;
    }
  }
  if (currentResult.outcome !== 'accepted' && currentResult.outcome !== 'unverifiable') {
    throw unproven(
      `the target refuses the current credential of ${input.secretName} in version ${currentVersionId}`,
    );
  }
  if (found.length === 0 || (input.named && unavailable.length > 0)) {
    throw unproven(
      `versions ${unavailable.join(', ')} of ${input.secretName} could not be tried: Secrets Manager does not keep them, or they hold no credential`,
    );
  }
  return {
    verifications: describeResults(found, results),
    unavailableVersions: unavailable,
    current: currentResult.outcome,
    ...(currentResult.outcome === 'unverifiable' && { note: currentResult.note }),
    ...(results.every(({ outcome }) => outcome === 'rejected') && { refusedAt }),
  };
}

function describeResults(
  found: readonly Leak<object>[],
  results: readonly ProbeResult[],
): readonly Verification[] {
  return found.flatMap(({ versionIds, identity }, index) => {
    const result = results[index];
    return versionIds.map((versionId) => ({
      versionId,
      identity,
      outcome: result?.outcome ?? 'unreachable',
      ...(result?.outcome === 'unverifiable' && { note: result.note }),
    }));
  });
}

const unproven = (message: string) => new RekeyError('RevocationUnproven', message);
