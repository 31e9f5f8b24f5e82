import { type ErrorSummary, errorSummary } from '../../core/errors/rekey-error.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import {
  type LookupAnswer,
  lookupLimits,
  lookupRequestSchema,
  mostCandidates,
} from '../../core/fingerprint/lookup.ts';
import type { FingerprintLookup, LookupBudget, MacKey } from '../../core/fingerprint/store.ts';
import { inTurns } from '../../core/pace/in-turns.ts';
import type { EventBus } from '../../core/ports.ts';

export interface LookupDependencies {
  readonly key: MacKey;
  readonly index: FingerprintLookup;
  readonly budget: LookupBudget;
  /** Takes the record of the lookup, before it is answered. */
  readonly records: EventBus;
  readonly origin: EventOrigin;
}

/** Matches that one record names. */
const mostNamed = 50;

const refused = (error: ErrorSummary, retryAfterSeconds?: number): LookupAnswer => ({
  outcome: 'refused',
  error,
  ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
});

/**
 * Finds the versions of secrets that held values, by the SHA-256 of each. A lookup is counted before it does anything, and
 * recorded before it is answered: whoever may look up may guess, and every guess leaves a trace.
 *
 * @param input - request as it came, unchecked
 * @throws AuditUnavailableError when nothing takes the record; RekeyError as AWS answers
 */
export async function lookUp(input: unknown, dependencies: LookupDependencies): Promise<LookupAnswer> {
  const { key, index, budget, records, origin } = dependencies;
  const parsed = lookupRequestSchema.safeParse(input);
  if (!parsed.success) {
    // Its own text may quote what was sent.
    return refused(
      errorSummary(
        'LookupMalformed',
        `the request needs \`hashes\`, 1 to ${mostCandidates} SHA-256 of 64 small hexadecimal digits each; nothing was looked up`,
      ),
    );
  }
  const { claimedActor } = parsed.data;
  const hashes = [...new Set(parsed.data.hashes)];
  const taken = await budget.take(hashes.length, origin.clock.now());
  if (taken !== 'taken') {
    const { perMinute, perHour } = lookupLimits;
    const { retryAfterSeconds } = taken;
    return refused(
      errorSummary(
        'LookupsExhausted',
        `environment ${origin.environment} looks up ${perMinute} hashes a minute and ${perHour} an hour, whoever asks; try again in ${retryAfterSeconds} s`,
      ),
      retryAfterSeconds,
    );
  }
  const found = await inTurns(hashes, async (hash) => await index.find(await key.sign(hash)));
  const place = new Map(hashes.map((hash, at) => [hash, at]));
  const matches = parsed.data.hashes.flatMap((hash, candidate) =>
    (found[place.get(hash) ?? -1] ?? []).map((match) => ({ candidate, ...match })),
  );
  const named = new Map(
    matches.map(({ secretArn, secretName, versionId }) => [
      `${secretArn} ${versionId}`,
      { secretArn, secretName, versionId },
    ]),
  );
  await records.publish([
    createEvent(
      origin,
      'Fingerprint Looked Up',
      {
        candidates: hashes.length,
        matches: [...named.values()].slice(0, mostNamed),
        found: named.size,
        ...(claimedActor !== undefined && { claimedActor }),
      },
      { correlationId: Buffer.from(origin.random.bytes(16)).toString('hex') },
    ),
  ]);
  return { outcome: 'answered', matches };
}
