import { isDeepStrictEqual } from 'node:util';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { type Incident, nextStep } from '../../core/notification/incident.ts';
import type { NotifierContext } from './context.ts';

/** Attempts to change an incident while others change it, too. */
const mostAttempts = 10;

/**
 * Changes an incident as a compare-and-swap, and notes when its next step is due.
 * @throws RekeyError `NotificationsUndelivered` when others were faster each time
 */
export async function changeIncident(
  id: string,
  change: (state: Incident | undefined) => Incident,
  { memory, settings }: Pick<NotifierContext, 'memory' | 'settings'>,
): Promise<Incident> {
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const kept = await memory.incident(id);
    const next = change(kept?.incident);
    if (kept !== undefined && isDeepStrictEqual(next, kept.incident)) return next;
    const before = kept === undefined ? undefined : nextStep(kept.incident, settings.escalation)?.due;
    const due = nextStep(next, settings.escalation)?.due;
    const isReplaced = await memory.replace(kept?.version ?? 0, next, {
      ...(before !== undefined && { before }),
      ...(due !== undefined && { next: due }),
    });
    if (isReplaced) return next;
  }
  throw new RekeyError(
    'NotificationsUndelivered',
    `incident ${id} is changed by others all the time; it is tried again`,
  );
}
