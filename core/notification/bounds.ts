import type { Notice } from './notice.ts';
import { quietUntil } from './quiet-hours.ts';
import type { NotifierSettings } from './settings.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Messages of one kind that a channel gets within the time of gathering, each about something else. */
const mostOfAKind = 5;

/** A count that a message needs a place in. */
export interface Bucket {
  readonly name: string;
  readonly limit: number;
  /** Time at which it is empty again. */
  readonly until: Date;
}

/** The answer to whether a message may be sent now. */
export type Admission =
  | { readonly hold: Date }
  /** Counts that it needs a place in, one after the other, and until when it waits where one is full. */
  | { readonly buckets: readonly Bucket[]; readonly otherwise: Date };

const endOf = (now: Date, lengthMs: number): Date =>
  new Date((Math.floor(now.getTime() / lengthMs) + 1) * lengthMs);

/**
 * Decides whether a message goes out now. What is no emergency waits for the end of the quiet hours, and beside others about the
 * same thing. An emergency waits for nothing, but that too many at once become one message per minute.
 */
export function admission(
  notice: Notice,
  settings: Pick<NotifierSettings, 'bounds' | 'quietHours'>,
  now: Date,
): Admission {
  const { gatherMinutes, messagesPerHour } = settings.bounds;
  const hour = endOf(now, hourMs);
  const perHour = (what: string): Bucket => ({
    name: `hour ${what} ${hour.toISOString()}`,
    limit: messagesPerHour,
    until: hour,
  });
  if (notice.urgency === 'emergency') {
    return { buckets: [perHour('emergency')], otherwise: endOf(now, minuteMs) };
  }
  const quiet = quietUntil(now, settings.quietHours);
  if (quiet !== undefined) return { hold: quiet };
  const gathered = endOf(now, gatherMinutes * minuteMs);
  const window = gathered.toISOString();
  const subject = notice.incident?.id ?? notice.subject;
  return {
    buckets: [
      { name: `same ${notice.kind} ${subject} ${window}`, limit: 1, until: gathered },
      { name: `kind ${notice.kind} ${window}`, limit: mostOfAKind, until: gathered },
      perHour('other'),
    ],
    otherwise: quietUntil(gathered, settings.quietHours) ?? gathered,
  };
}
