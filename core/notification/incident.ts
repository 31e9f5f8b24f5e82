import * as z from 'zod';
import type { Escalation } from './settings.ts';

/**
 * An incident: what began with an event, until another one resolves it. Events come more than once and in any order, so each
 * change is decided by the times of the events, and the same event again changes nothing.
 */
export const incidentSchema = z.object({
  id: z.string(),
  subject: z.string(),
  /** Detail type of the event with which it began. */
  event: z.string(),
  urgency: z.enum(['emergency', 'warning']),
  owner: z.string().optional(),
  /** Time of the event with which it began. */
  openedAt: z.iso.datetime().optional(),
  /** Time of the last event that shows it. An end between the two does not end it. */
  shownAt: z.iso.datetime().optional(),
  acknowledgedAt: z.iso.datetime().optional(),
  resolvedAt: z.iso.datetime().optional(),
  /** Number of steps of the escalation that were taken. */
  steps: z.int().min(0),
  /** Channels that were told of it. */
  told: z.array(z.string()),
});
export type Incident = z.output<typeof incidentSchema>;

/** Facts of an incident that an event brings. */
export type IncidentFacts = Pick<Incident, 'id' | 'subject' | 'event' | 'urgency'> & {
  readonly owner?: string | undefined;
};

const later = (one: string | undefined, other: string): string =>
  one === undefined || Date.parse(one) < Date.parse(other) ? other : one;
const isBefore = (one: string, other: string): boolean => Date.parse(one) < Date.parse(other);

const unknown = ({ owner, ...facts }: IncidentFacts): Incident => ({
  ...facts,
  ...(owner !== undefined && { owner }),
  steps: 0,
  told: [],
});

/** Tells whether an incident has begun and is not resolved. */
export const isOpen = ({ shownAt, resolvedAt }: Incident): boolean =>
  shownAt !== undefined && (resolvedAt === undefined || isBefore(resolvedAt, shownAt));

/** Tells whether somebody has taken on an incident since it began. */
const isAcknowledged = ({ openedAt, acknowledgedAt }: Incident): boolean =>
  openedAt !== undefined && acknowledgedAt !== undefined && !isBefore(acknowledgedAt, openedAt);

/** Opens an incident. One that is open goes on, and one that was resolved after the event stays so. */
export function opened(state: Incident | undefined, facts: IncidentFacts, at: string): Incident {
  if (state === undefined) return { ...unknown(facts), openedAt: at, shownAt: at };
  const { openedAt = at, shownAt, acknowledgedAt, resolvedAt } = state;
  if (resolvedAt !== undefined && !isBefore(resolvedAt, at)) return state;
  if (isOpen(state)) {
    // The first event of several decides when it began, in whatever order they come.
    return { ...state, openedAt: isBefore(at, openedAt) ? at : openedAt, shownAt: later(shownAt, at) };
  }
  return {
    ...unknown(facts),
    openedAt: at,
    shownAt: at,
    ...(acknowledgedAt !== undefined && { acknowledgedAt }),
    ...(resolvedAt !== undefined && { resolvedAt }),
  };
}

/** Notes that somebody has taken on an incident, which may not have been seen yet. */
export const acknowledged = (state: Incident | undefined, facts: IncidentFacts, at: string): Incident => ({
  ...(state ?? unknown(facts)),
  acknowledgedAt: later(state?.acknowledgedAt, at),
});

/** Notes that what an incident is about has ended well. What was shown after that is an incident of its own. */
export function resolved(state: Incident | undefined, facts: IncidentFacts, at: string): Incident {
  const next = { ...(state ?? unknown(facts)), resolvedAt: later(state?.resolvedAt, at) };
  const { openedAt, shownAt, resolvedAt } = next;
  if (!isOpen(next) || openedAt === undefined || shownAt === undefined || isBefore(resolvedAt, openedAt))
    return next;
  return { ...next, openedAt: shownAt, steps: 0 };
}

/** Notes that a channel was told. */
export const toldTo = (state: Incident, channel: string): Incident =>
  state.told.includes(channel) ? state : { ...state, told: [...state.told, channel] };

/**
 * Gives the next step of the escalation: its number from 1, and when it is due.
 * @returns undefined when there is none, or somebody has acknowledged, or it is resolved
 */
export function nextStep(
  state: Incident,
  escalation: Escalation | undefined,
): { readonly step: number; readonly due: Date; readonly to: readonly string[] } | undefined {
  if (escalation === undefined || state.openedAt === undefined) return undefined;
  if (!isOpen(state) || isAcknowledged(state) || !escalation.urgencies.includes(state.urgency))
    return undefined;
  const next = escalation.steps[state.steps];
  if (next === undefined) return undefined;
  const due = new Date(Date.parse(state.openedAt) + next.afterMinutes * 60_000);
  return { step: state.steps + 1, due, to: next.to };
}
