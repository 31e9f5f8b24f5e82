import * as z from 'zod';
import type { ErrorCodeOf } from '../errors/codes.ts';
import { RekeyError } from '../errors/rekey-error.ts';

/** Reach of a quarantine: sessions that began before it, or whoever acts as the principal until it is lifted. */
export const quarantineScopes = ['sessions', 'all'] as const;
export type QuarantineScope = (typeof quarantineScopes)[number];

const placedSchema = z.object({
  /** `metadata.id` of the request. */
  requestId: z.string(),
  scope: z.enum(quarantineScopes),
  /** Time before which sessions began that are denied, to the second, as IAM compares it. */
  before: z.string(),
  requestedAt: z.string(),
});
const standingSchema = placedSchema.extend({
  /** The quarantine that it took the place of. */
  former: placedSchema.optional(),
});
/** A quarantine that stands. */
export type Standing = z.output<typeof standingSchema>;

/** The form of what is remembered of a principal. */
export const quarantineStateSchema = z.object({
  standing: standingSchema.optional(),
  /** Requests that are over, the last one last: a message that comes again must not begin them again. */
  over: z.array(z.object({ requestId: z.string(), end: z.enum(['lifted', 'replaced']) })),
});
export type QuarantineState = z.output<typeof quarantineStateSchema>;

export const noQuarantine: QuarantineState = { over: [] };

/** Requests that are remembered of one principal. Those that are older than a day are refused for their age. */
const remembered = 100;

/** A request for a quarantine, or for its end, that must not be acted upon. */
export class QuarantineRefusal extends RekeyError<ErrorCodeOf<'quarantine' | 'revocation'>> {}

/** The answer to a request, and what is remembered from then on. */
export interface Decision {
  readonly state: QuarantineState;
  /** `known`: the same was decided before. `over`: it was decided, and has ended since. */
  readonly outcome: 'placed' | 'lifted' | 'known' | 'over';
}

const ended = (
  over: QuarantineState['over'],
  requestId: string,
  end: 'lifted' | 'replaced',
): QuarantineState['over'] => [...over, { requestId, end }].slice(-remembered);

/**
 * Decides on a quarantine. One stands at a time, and no request weakens it: `all` takes the place of `sessions`, and a later
 * `sessions` that of an earlier one.
 * @throws QuarantineRefusal `QuarantineStands` where the one that stands denies all that was asked for
 */
export function decidePlace(state: QuarantineState, asked: Standing): Decision {
  const { standing, over } = state;
  if (standing?.requestId === asked.requestId) return { state, outcome: 'known' };
  if (over.some(({ requestId }) => requestId === asked.requestId)) return { state, outcome: 'over' };
  if (standing !== undefined && denies(standing, asked)) {
    throw new QuarantineRefusal(
      'QuarantineStands',
      `the principal is quarantined already, by the request ${standing.requestId} (${standing.scope}), which denies all that was asked for; nothing was changed`,
    );
  }
  if (standing === undefined) return { state: { standing: asked, over }, outcome: 'placed' };
  const { former: _, ...former } = standing;
  return {
    state: { standing: { ...asked, former }, over: ended(over, former.requestId, 'replaced') },
    outcome: 'placed',
  };
}

/** Gives the state before a quarantine that IAM did not take; the same state where another one stands by now. */
export function withoutPlaced(state: QuarantineState, requestId: string): QuarantineState {
  const { standing, over } = state;
  if (standing?.requestId !== requestId) return state;
  const { former } = standing;
  return former === undefined
    ? { over }
    : { standing: former, over: over.filter((one) => one.requestId !== former.requestId) };
}

const denies = (standing: Standing, asked: Standing): boolean =>
  standing.scope === 'all' || (asked.scope === 'sessions' && asked.requestedAt <= standing.requestedAt);

/**
 * Decides on the end of a quarantine. It names the request that it ends, so one that comes late ends no other.
 * @throws QuarantineRefusal `QuarantineUnknown` | `QuarantineReplaced`
 */
export function decideLift(state: QuarantineState, quarantineId: string): Decision {
  const { standing, over } = state;
  if (standing?.requestId === quarantineId) {
    return { state: { over: ended(over, quarantineId, 'lifted') }, outcome: 'lifted' };
  }
  const end = over.find(({ requestId }) => requestId === quarantineId)?.end;
  if (end === 'lifted') return { state, outcome: 'known' };
  const now = standing === undefined ? 'none stands' : `${standing.requestId} stands`;
  if (end === 'replaced') {
    throw new QuarantineRefusal(
      'QuarantineReplaced',
      `another quarantine took the place of ${quarantineId}: ${now}; nothing was changed, lift the one that stands`,
    );
  }
  throw new QuarantineRefusal(
    'QuarantineUnknown',
    `the principal is under no quarantine ${JSON.stringify(quarantineId.slice(0, 64))}: ${now}; nothing was changed`,
  );
}
