import { RekeyError } from '../core/errors/rekey-error.ts';
import { type Alive, aliveBy } from '../core/fingerprint/alive.ts';
import { type LookupAnswer, type Match, mostCandidates } from '../core/fingerprint/lookup.ts';
import { isUnverifiable } from '../rotators/registry.ts';
import type { Invocation } from './context.ts';
import type { Environment } from './environment.ts';
import { CliError } from './errors.ts';
import { explain } from './failure.ts';

/** Seconds that a run waits for its turn. */
const longestWait = 60;

/** One hash to look up, and where it comes from. */
export interface Asked {
  readonly hash: string;
  /** Steps from what was given to what was hashed. */
  readonly form: string;
  /** Line of `--hashes`. */
  readonly line?: number;
}

/** A match, with the labels that count and what follows from them. */
export interface Finding extends Omit<Match, 'candidate'> {
  readonly alive: Alive;
  readonly form: string;
  readonly line?: number;
}

const order: readonly Alive[] = ['yes', 'perhaps', 'no'];

/**
 * Asks the lookup function, a hundred hashes at a time. Where it is another one's turn, it waits for a minute at most.
 * @throws CliError `FingerprintsOff` | `LookupsExhausted` | `LookupMalformed`
 */
export async function askLookup(
  { cloud, context, output }: Invocation,
  environment: Environment,
  asked: readonly Asked[],
): Promise<readonly Match[]> {
  const fingerprintLookupFunction = lookupFunctionOf(environment);
  const service = await cloud.fingerprints();
  const claimedActor = await cloud.identity().then(
    ({ arn }) => arn.slice(0, 512),
    () => undefined,
  );
  const matches: Match[] = [];
  for (let from = 0; from < asked.length; from += mostCandidates) {
    const hashes = asked.slice(from, from + mostCandidates).map(({ hash }) => hash);
    const request = { hashes, ...(claimedActor !== undefined && { claimedActor }) };
    let answer = await service.lookUp(fingerprintLookupFunction, request);
    for (let waited = 0; mayWait(answer, waited) && !context.signal.aborted; ) {
      const { retryAfterSeconds } = answer;
      output.progress(`${from} of ${asked.length} looked up; the next ones in ${retryAfterSeconds} s`);
      await context.sleep(retryAfterSeconds * 1_000);
      waited += retryAfterSeconds;
      answer = await service.lookUp(fingerprintLookupFunction, request);
    }
    output.clearProgress();
    if (answer.outcome === 'refused') {
      const { code, message } = answer.error;
      throw new CliError(3, code === 'LookupMalformed' ? code : 'LookupsExhausted', message);
    }
    matches.push(...answer.matches.map((match) => ({ ...match, candidate: from + match.candidate })));
  }
  return matches;
}

/** Gives the function that looks fingerprints up. @throws CliError `FingerprintsOff` */
export function lookupFunctionOf({ name, facts }: Environment): string {
  const { fingerprintLookupFunction } = facts;
  if (fingerprintLookupFunction !== undefined) return fingerprintLookupFunction;
  throw new CliError(
    3,
    'FingerprintsOff',
    `environment ${name} keeps no fingerprints; set fingerprints: true in its configuration and deploy`,
  );
}

type Refusal = Extract<LookupAnswer, { outcome: 'refused' }>;

const mayWait = (
  answer: LookupAnswer,
  waited: number,
): answer is Refusal & { readonly retryAfterSeconds: number } =>
  answer.outcome === 'refused' &&
  answer.retryAfterSeconds !== undefined &&
  waited + answer.retryAfterSeconds <= longestWait;

/** Looks at the labels of the secrets that were found, where the caller may; else those of the index count. */
export async function standOf(
  { cloud, output }: Invocation,
  matches: readonly Match[],
  asked: readonly Asked[],
): Promise<readonly Finding[]> {
  const now = new Map<string, Readonly<Record<string, readonly string[]>> | 'gone'>();
  for (const secretArn of new Set(matches.map((match) => match.secretArn))) {
    try {
      now.set(secretArn, (await (await cloud.secrets()).describe(secretArn)).versions);
    } catch (error) {
      const code = error instanceof RekeyError ? error.code : explain(error).code;
      if (code === 'SecretMissing') now.set(secretArn, 'gone');
      else if (code !== 'SecretAccessDenied') {
        output.note(`The labels of ${secretArn} are those of the index: ${explain(error).message}`, 'warn');
      }
    }
  }
  // One value may come in several forms, and one version hold several of the values: the nearest form counts.
  const findings = new Map<string, Finding>();
  for (const { candidate, ...match } of matches) {
    const { form = '', line } = asked[candidate] ?? {};
    const id = `${line ?? ''} ${match.secretArn} ${match.versionId} ${match.parts.join()}`;
    if (findings.has(id)) continue;
    const seen = now.get(match.secretArn);
    const labels = seen === undefined || seen === 'gone' ? match.labels : [...(seen[match.versionId] ?? [])];
    const goneBy = seen === 'gone' ? (match.goneBy ?? match.seenAt) : match.goneBy;
    const unverifiable = isUnverifiable(match.secretType);
    findings.set(id, {
      ...match,
      labels,
      alive: aliveBy({ labels, unverifiable, ...(goneBy !== undefined && { goneBy }) }),
      form,
      ...(goneBy !== undefined && { goneBy }),
      ...(line !== undefined && { line }),
    });
  }
  return [...findings.values()].toSorted((a, b) => order.indexOf(a.alive) - order.indexOf(b.alive));
}
