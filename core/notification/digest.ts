import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Fact, Notice } from './notice.ts';
import { urgencies } from './settings.ts';
import { plain } from './text.ts';

/** A message that was held back: what a digest tells of it. */
export const heldSchema = z.object({
  id: z.string(),
  kind: z.string(),
  urgency: z.enum(urgencies),
  subject: z.string(),
  title: z.string(),
  time: z.string(),
  environment: z.string(),
});
export type Held = z.output<typeof heldSchema>;

/** Kinds that a digest names one by one, and subjects of each. */
const mostKinds = 8;
const mostSubjects = 10;

/** Makes the part of a message that a digest needs. */
export const heldOf = ({ id, kind, urgency, subject, title, time, environment }: Notice): Held => ({
  id,
  kind,
  urgency,
  subject,
  title,
  time,
  environment,
});

/**
 * Writes held messages as one: how many, of which kinds, about what. Each is counted; the audit log has all of them.
 * @param held - at least one
 */
export function digestOf(held: readonly Held[], now: Date): Notice {
  const ordered = held.toSorted((one, other) => one.time.localeCompare(other.time));
  const kinds = Map.groupBy(ordered, ({ kind }) => kind);
  const counted = [...kinds].toSorted(([, one], [, other]) => other.length - one.length);
  const facts: Fact[] = counted.slice(0, mostKinds).map(([kind, items]) => {
    const subjects = [...new Set(items.map(({ subject }) => subject))];
    const more = subjects.length - mostSubjects;
    const named = subjects.slice(0, mostSubjects).map((subject) => plain(subject, 80));
    return {
      name: `${kind} (${items.length})`,
      value: plain(`${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`, 1_000),
    };
  });
  const rest = counted.slice(mostKinds).reduce((sum, [, items]) => sum + items.length, 0);
  const isEmergency = held.some(({ urgency }) => urgency === 'emergency');
  const ids = held.map(({ id }) => id).toSorted();
  const environment = held[0]?.environment ?? '';
  return {
    id: createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 32),
    kind: 'Digest',
    environment,
    time: now.toISOString(),
    urgency: isEmergency ? 'emergency' : 'warning',
    title: `${held.length} ${held.length === 1 ? 'message was' : 'messages were'} held back`,
    subject: `${held.length} messages`,
    facts: [
      { name: 'environment', value: environment },
      ...facts,
      ...(rest > 0 ? [{ name: 'others', value: String(rest) }] : []),
      { name: 'first', value: ordered[0]?.time ?? '' },
      { name: 'last', value: ordered.at(-1)?.time ?? '' },
    ],
  };
}
