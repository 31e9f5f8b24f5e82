import { sameSecret } from '../../core/deployed/names.ts';
import { isSecretDenied } from '../../core/errors/denied.ts';
import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import type { IndexedSecret } from '../../core/fingerprint/store.ts';
import { inTurns } from '../../core/pace/in-turns.ts';
import type { DefinitionStore } from '../../core/ports.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';
import { goneForMs, type IndexDependencies, indexSecret } from './index-secret.ts';

export interface SweepDependencies extends IndexDependencies {
  readonly definitions: Pick<DefinitionStore, 'list'>;
  /** Milliseconds left before Lambda ends the invocation. */
  readonly remainingMs: () => number;
  /** Takes note of a secret that could not be looked at. */
  readonly failed: (secretName: string, error: unknown) => void;
  /** Takes note of a secret that a policy or a key closes to the function. */
  readonly skipped: (secretName: string, error: unknown) => void;
}

/** Counts of a sweep. */
export interface SweepReport {
  readonly secrets: number;
  readonly added: number;
  readonly relabelled: number;
  readonly gone: number;
  /** Names of the secrets that a policy or a key closes to the function. Their new values are in no index. */
  readonly skipped: readonly string[];
}

/** Milliseconds that the secret under way may take. */
const reserveMs = 30_000;

/**
 * Brings every secret of the environment into the index. At a deploy those are the ones that were there before, later what no
 * rotation told of. A secret that is gone, or that the environment looks after no more, is forgotten after a month.
 *
 * One secret that fails does not keep the others. One that a policy or a key closes to the function is skipped, since no later sweep
 * would do better. What a sweep did stays done when it is ended early.
 * @throws RekeyError `FingerprintsIncomplete` | `FingerprintsDelayed`
 */
export async function sweep(dependencies: SweepDependencies): Promise<SweepReport> {
  const { definitions, index, clock, remainingMs } = dependencies;
  const known = await index.secrets();
  const all = await definitions.list();
  const failures: string[] = [];
  const skipped: string[] = [];
  const present = new Set<string>();
  let late = 0;
  const reports = await inTurns(all, async (definition) => {
    if (remainingMs() < reserveMs) {
      late += 1;
      return;
    }
    const secret = knownOf(definition, known);
    try {
      const report = await indexSecret(definition, secret, dependencies);
      if (report.arn !== undefined) present.add(report.arn);
      return report;
    } catch (error) {
      if (isSecretDenied(error)) {
        dependencies.skipped(definition.name, error);
        skipped.push(definition.name);
        if (secret !== undefined) present.add(secret.arn);
        return;
      }
      dependencies.failed(definition.name, error);
      failures.push(`${definition.name} (${summarizeError(error).code})`);
      return;
    }
  });
  if (late > 0) {
    throw new RekeyError(
      'FingerprintsDelayed',
      `${late} of ${all.length} secrets were not looked at, since the time of the function was over; the next sweep goes on`,
    );
  }
  if (failures.length > 0) {
    throw new RekeyError(
      'FingerprintsIncomplete',
      `${failures.length} of ${all.length} secrets could not be brought into the index: ${failures.slice(0, 20).join(', ')}; the next sweep tries again, and the log says why`,
    );
  }
  // Only now, as a secret that could not be looked at may be there.
  const gone = known.filter(({ arn, goneBy }) => goneBy === undefined && !present.has(arn));
  const goneBy = clock.now();
  await inTurns(gone, (secret) => forget({ ...secret, goneBy }, dependencies));
  const sum = (count: 'added' | 'relabelled') =>
    reports.reduce((total, one) => total + (one?.[count] ?? 0), 0);
  return {
    secrets: present.size,
    added: sum('added'),
    relabelled: sum('relabelled'),
    gone: gone.length,
    skipped: skipped.sort(),
  };
}

/** Finds what the index knows of a secret by its definition, whose ARN may lack the suffix. */
const knownOf = ({ arn }: SecretDefinition, known: readonly IndexedSecret[]): IndexedSecret | undefined =>
  known.find((secret) => secret.arn === arn) ?? known.find((secret) => sameSecret(secret.arn, arn));

/** Has the index forget a secret after some time; meanwhile it says that the secret is gone. */
async function forget(
  secret: IndexedSecret & { readonly goneBy: Date },
  { index }: SweepDependencies,
): Promise<void> {
  const forgetAt = new Date(secret.goneBy.getTime() + goneForMs);
  await inTurns(await index.versions(secret.arn), (version) =>
    index.relabel(secret.arn, version, {
      labels: version.labels,
      seenAt: secret.goneBy,
      ...(version.replacedBy !== undefined && { replacedBy: version.replacedBy }),
      forgetAt: version.forgetAt !== undefined && version.forgetAt < forgetAt ? version.forgetAt : forgetAt,
    }),
  );
  await index.note(secret, forgetAt);
}
