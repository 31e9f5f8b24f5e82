import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import { createEvent } from '../../core/events/create.ts';
import { digestOf } from '../../core/notification/digest.ts';
import { nextStep } from '../../core/notification/incident.ts';
import type { HeldEntry } from '../../core/notification/ports.ts';
import { quietUntil } from '../../core/notification/quiet-hours.ts';
import { namedChannels } from '../../core/notification/routing.ts';
import type { NotifierContext } from './context.ts';
import { deliver } from './deliver.ts';

/** Messages of one digest, and steps of escalations, that one call looks at; the next minute goes on. */
const mostHeld = 5_000;
const mostSteps = 200;

/** The work that a call found. */
export interface Ticked {
  readonly digests: number;
  readonly escalated: number;
}

/**
 * Sends the digests that are due, and escalates incidents that nobody has acknowledged.
 * What cannot be done stays due, and the next minute finds it again.
 * @throws RekeyError `NotificationsUndelivered` when anything failed; the rest was done
 */
export async function tick(context: NotifierContext): Promise<Ticked> {
  const failures: string[] = [];
  const attempt = async (what: string, work: () => Promise<number>): Promise<number> => {
    try {
      return await work();
    } catch (error) {
      context.note('work of this minute failed', { what, ...summarizeError(error) });
      failures.push(`${what}: ${summarizeError(error).code}`);
      return 0;
    }
  };
  const escalated = await attempt('escalation', () => escalate(context));
  const sent = await Promise.all(
    Object.keys(context.settings.channels).map((name) =>
      attempt(`digest of ${name}`, () => digest(name, context)),
    ),
  );
  if (failures.length > 0)
    throw new RekeyError('NotificationsUndelivered', `${failures.join(', ')}; the next minute tries again`);
  return { digests: sent.reduce((sum, one) => sum + one, 0), escalated };
}

/** Sends a channel's digests: one of emergencies that were too many, one of everything else. */
async function digest(name: string, context: NotifierContext): Promise<number> {
  const { memory, clock, settings } = context;
  const now = clock.now();
  const due = await memory.due(name, now, mostHeld);
  const isEmergency = ({ held }: HeldEntry) => held.urgency === 'emergency';
  const isQuiet = quietUntil(now, settings.quietHours) !== undefined;
  const others = isQuiet ? [] : due.filter((entry) => !isEmergency(entry));
  let sent = 0;
  for (const entries of [due.filter(isEmergency), others]) {
    if (entries.length === 0) continue;
    const notice = digestOf(
      entries.map(({ held }) => held),
      now,
    );
    await deliver(name, notice, { deed: 'tell', bounded: false }, context);
    await memory.forget(name, entries);
    sent += 1;
  }
  return sent;
}

/** Announces each step that is due. The bus brings the announcement back, and the channels are told like of any other event. */
async function escalate(context: NotifierContext): Promise<number> {
  const { memory, clock, settings } = context;
  const now = clock.now();
  let escalated = 0;
  for (const { id, due } of await memory.dueSteps(now, mostSteps)) {
    const kept = await memory.incident(id);
    const next = kept === undefined ? undefined : nextStep(kept.incident, settings.escalation);
    if (kept === undefined || next === undefined) {
      await memory.forgetStep(id, due);
      continue;
    }
    const { incident, version } = kept;
    if (next.due > now) {
      // The configuration gives it more time than the one that noted this.
      await memory.replace(version, incident, { before: due, next: next.due });
      continue;
    }
    const channels = namedChannels(next.to, incident.owner, settings);
    const { openedAt = '' } = incident;
    const record = createEvent(
      {
        source: 'rekey.notification',
        environment: context.environment,
        actor: context.actor,
        clock,
        random: noRandom,
      },
      'Incident Escalated',
      {
        incidentId: id,
        subject: incident.subject,
        event: incident.event,
        urgency: incident.urgency,
        openedAt,
        step: next.step,
        channels: [...channels],
      },
      // The same step announced again is the same fact, recorded once and told once.
      { correlationId: id, fact: `${id}\n${openedAt}\n${next.step}` },
    );
    await context.bus.publish([record]);
    const taken = { ...incident, steps: next.step };
    const following = nextStep(taken, settings.escalation);
    await memory.replace(version, taken, {
      before: due,
      ...(following !== undefined && { next: following.due }),
    });
    escalated += 1;
  }
  return escalated;
}

/** An event that names its fact draws no random number. */
const noRandom = {
  bytes: (length: number) => new Uint8Array(length),
  integer: () => 0,
};
