import type { LiveMatch, SecretFound } from '../../core/scan/finding.ts';
import { ownReportFormat } from '../../core/signal/scanner-report.ts';
import type { Invocation } from '../context.ts';
import type { Environment } from '../environment.ts';
import { askLookup, standOf } from '../fingerprint-lookup.ts';
import type { LiveCandidates } from './live.ts';

/** The answer of an environment about the values of a scan. */
interface LiveAnswer {
  readonly asked: number;
  readonly leftOut: number;
  /** Adds to the findings the secrets that have their values, and the values that are findings by that alone. */
  readonly raised: (found: readonly SecretFound[]) => readonly SecretFound[];
}

/** Asks an environment which secrets have the values of a scan. Only SHA-256s are sent, as `rekey whose` does. */
export async function askAboutLive(
  invocation: Invocation,
  environment: Environment,
  candidates: LiveCandidates,
): Promise<LiveAnswer> {
  const { hashes, leftOut } = candidates.asked();
  const asked = hashes.map(({ hash }, line) => ({ hash, form: '', line }));
  const matches = await askLookup(invocation, environment, asked);
  const standing = await standOf(invocation, matches, asked);
  const live = new Map<SecretFound, LiveMatch[]>();
  const onlyLive: SecretFound[] = [];
  for (const { line = -1, secretArn, secretName, versionId, owner, alive } of standing) {
    for (const finding of hashes[line]?.findings ?? []) {
      const known = live.get(finding) ?? [];
      if (!known.some((one) => one.secretArn === secretArn && one.versionId === versionId)) {
        known.push({ secretArn, secretName, versionId, owner, alive });
      }
      if (!live.has(finding) && hashes[line]?.isFound === false) onlyLive.push(finding);
      live.set(finding, known);
    }
  }
  const withLive = (finding: SecretFound): SecretFound => {
    const own = live.get(finding);
    return own === undefined ? finding : { ...finding, severity: 'error', live: own };
  };
  return { asked: asked.length, leftOut, raised: (found) => [...found, ...onlyLive].map(withLive) };
}

/**
 * Makes the report that `rekey revoke --from-scan` reads: the secrets that were found, by ARN and version, with the places. It
 * holds no value and no hash, so it may be kept.
 */
export function ownReport(environment: string, now: Date, found: readonly SecretFound[]): object {
  const all = found.flatMap(({ rule, place, live = [] }) => live.map((match) => ({ rule, place, match })));
  return {
    format: ownReportFormat,
    environment,
    scannedAt: now.toISOString(),
    findings: found.length,
    secrets: [...Map.groupBy(all, ({ match }) => match.secretArn)].map(([secretArn, of]) => ({
      secretArn,
      secretName: of[0]?.match.secretName,
      versions: [...new Set(of.map(({ match }) => match.versionId))],
      alive: [...new Set(of.map(({ match }) => match.alive))],
      places: of.map(({ rule, place }) => ({ rule, path: place.path, line: place.line ?? null })),
    })),
  };
}
