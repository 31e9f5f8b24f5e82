import * as z from 'zod';
import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import { type AnyEvent, detailSchema, isDetailType } from '../../core/events/catalogue.ts';
import {
  acknowledged,
  type Incident,
  type IncidentFacts,
  isOpen,
  opened,
  resolved,
  toldTo,
} from '../../core/notification/incident.ts';
import type { Notice } from '../../core/notification/notice.ts';
import { channelsFor, keepsAlerts, namedChannels } from '../../core/notification/routing.ts';
import { isSilent, noticeOf, secretOf } from '../../core/notification/tellings.ts';
import type { Deed } from '../../core/notification/vendors/vendor.ts';
import type { NotifierContext } from './context.ts';
import { type Delivery, deliver } from './deliver.ts';
import { changeIncident } from './incidents.ts';

/** An event as EventBridge delivers it, as far as it matters here. */
const deliveredSchema = z.object({
  source: z.string(),
  'detail-type': z.string(),
  time: z.iso.datetime(),
  detail: z.unknown(),
});

/** An event that was not told everywhere, with the time after which it is tried again. */
class Undelivered extends RekeyError<'NotificationsUndelivered'> {
  readonly waitMs: number;
  /** True where somebody must mend it before another attempt can help. */
  readonly isLasting: boolean;

  constructor(failures: readonly { readonly channel: string; readonly error: unknown }[]) {
    const named = failures.map(({ channel, error }) => `${channel}: ${summarizeError(error).code}`);
    super('NotificationsUndelivered', `not told on ${named.join(', ')}; it is tried again there`);
    this.waitMs = Math.max(0, ...failures.map(({ error }) => (error as { waitMs?: number }).waitMs ?? 0));
    this.isLasting = failures.some(({ error }) => !summarizeError(error).retryable);
  }
}

/** The channels that were told of an event, and how each delivery ended. */
export type Told = Readonly<Record<string, Delivery>>;

/**
 * Tells people of an event from the bus. The same event again is told nobody twice.
 * @param input - the event as EventBridge delivers it, unchecked
 * @throws RekeyError `NotificationMalformed`, {@link Undelivered}
 */
export async function notify(input: unknown, context: NotifierContext): Promise<Told> {
  const { event, deliveredAt } = read(input, context);
  if (event === undefined) return {};
  const { settings } = context;
  // Most events are told nobody, and nothing need be looked up for them.
  if (
    isSilent(event.detailType) &&
    settings.routes.length === 0 &&
    event.detailType !== 'Notification Test Requested'
  ) {
    return {};
  }
  const notice = noticeOf(event, settings.runbookUrl);
  // A success is told nobody by default: then nobody need be found for it.
  const owner =
    notice.urgency === 'information' && settings.routes.length === 0
      ? undefined
      : await ownerOf(event, context);
  const incident = await follow(notice, { event, deliveredAt, owner }, context);
  const planned = plan(event, told(notice, incident), { owner, incident }, context);
  return await tell(planned, incident, context);
}

function read(
  input: unknown,
  { note }: NotifierContext,
): { readonly event?: AnyEvent; readonly deliveredAt: string } {
  const delivered = deliveredSchema.safeParse(input);
  if (!delivered.success) {
    throw new RekeyError('NotificationMalformed', 'what arrived is not an event of EventBridge');
  }
  const { source, 'detail-type': detailType, detail, time } = delivered.data;
  if (!isDetailType(detailType)) return { deliveredAt: time };
  const parsed = detailSchema(detailType).safeParse(detail);
  if (parsed.success) {
    return { event: { source, detailType, detail: parsed.data } as AnyEvent, deliveredAt: time };
  }
  if (detailType === 'Secret Revocation Requested') {
    note('a request for a revocation is malformed; what the intake answers is told', { source });
    return { deliveredAt: time };
  }
  const fields = [...new Set(parsed.error.issues.map(({ path }) => path.join('.')))];
  throw new RekeyError(
    'NotificationMalformed',
    `an event "${detailType}" lacks what the catalogue asks for: ${fields.join(', ')}`,
  );
}

/** Finds who answers for the secret of an event. Without an answer the event is told all the same. */
async function ownerOf(event: AnyEvent, { definitions, note }: NotifierContext): Promise<string | undefined> {
  const { data } = event.detail;
  if ('owner' in data && data.owner !== undefined) return data.owner;
  const secret = secretOf(event);
  if (secret === undefined) return undefined;
  try {
    return (await definitions.find(secret))?.owner;
  } catch (error) {
    note('the owner is not known; channels that are nobody’s in particular are told', {
      ...summarizeError(error),
    });
    return undefined;
  }
}

/** Has the incident of an event follow it. @returns undefined where the event belongs to none */
async function follow(
  notice: Notice,
  {
    event,
    deliveredAt,
    owner,
  }: { readonly event: AnyEvent; readonly deliveredAt: string; readonly owner: string | undefined },
  context: NotifierContext,
): Promise<Incident | undefined> {
  if (notice.incident === undefined || notice.incident.act === 'tells') return undefined;
  const { id, act } = notice.incident;
  const urgency = notice.urgency === 'emergency' ? 'emergency' : 'warning';
  const facts: IncidentFacts = { id, subject: notice.subject, event: event.detailType, urgency, owner };
  switch (act) {
    case 'opens':
      return await changeIncident(id, (state) => opened(state, facts, notice.time), context);
    case 'resolves':
      return await changeIncident(id, (state) => resolved(state, facts, notice.time), context);
    case 'acknowledges': {
      // The clock of whoever acknowledges may be behind. EventBridge's own is not, and it counts in seconds.
      const at = new Date(Math.max(Date.parse(deliveredAt) + 999, Date.parse(notice.time))).toISOString();
      return await changeIncident(id, (state) => acknowledged(state, facts, at), context);
    }
    case 'escalates':
      return (await context.memory.incident(id))?.incident;
  }
}

/** Makes the message of an acknowledgement, as urgent as its incident and by the name of its subject. */
function told(notice: Notice, incident: Incident | undefined): Notice {
  if (notice.incident?.act !== 'acknowledges' || incident === undefined) return notice;
  return {
    ...notice,
    urgency: incident.urgency,
    title: `${notice.title}: ${incident.subject}`,
    subject: incident.subject,
  };
}

interface Planned {
  readonly channel: string;
  readonly deed: Deed;
  readonly notice: Notice;
}

/** Decides which channels are told, and what the message does there. */
function plan(
  event: AnyEvent,
  notice: Notice,
  { owner, incident }: { readonly owner: string | undefined; readonly incident: Incident | undefined },
  { settings }: NotifierContext,
): readonly Planned[] {
  const toldBefore = namedChannels(incident?.told ?? [], owner, settings);
  const hasAlerts = (channel: string) => keepsAlerts(channel, settings);
  const all = (channels: readonly string[], deedOf: (channel: string) => Deed | undefined): Planned[] =>
    channels.flatMap((channel) => {
      const deed = deedOf(channel);
      return deed === undefined ? [] : [{ channel, deed, notice }];
    });
  switch (event.detailType) {
    case 'Notification Test Requested': {
      const { channels = Object.keys(settings.channels) } = event.detail.data;
      return all(namedChannels(channels, owner, settings), () => 'tell');
    }
    case 'Incident Escalated':
      // Somebody may have taken it on while this was on its way.
      return incident !== undefined && !isOpen(incident)
        ? []
        : all(namedChannels(event.detail.data.channels, incident?.owner, settings), () => 'trigger');
    case 'Incident Acknowledged':
      return all(toldBefore, (channel) => (hasAlerts(channel) ? 'acknowledge' : 'tell'));
  }
  const routed = channelsFor(notice, owner, settings);
  switch (notice.incident?.act) {
    case 'opens':
      // Out of order: at receivers that keep alerts, nobody would close one that is opened now.
      return all(routed, (channel) =>
        hasAlerts(channel) && incident !== undefined && !isOpen(incident) ? undefined : 'trigger',
      );
    case 'resolves':
      return all([...new Set([...routed, ...toldBefore])], (channel) =>
        hasAlerts(channel) ? 'resolve' : routed.includes(channel) ? 'tell' : undefined,
      );
    default:
      return all(routed, () => 'tell');
  }
}

/** Delivers what was planned, each channel by itself: one that fails does not keep the others. */
async function tell(
  planned: readonly Planned[],
  incident: Incident | undefined,
  context: NotifierContext,
): Promise<Told> {
  const triggered = planned.filter(({ deed }) => deed === 'trigger').map(({ channel }) => channel);
  if (incident !== undefined && triggered.length > 0) {
    // Before they are told: whatever resolves the incident meanwhile must know of them.
    await changeIncident(incident.id, (state) => triggered.reduce(toldTo, state ?? incident), context);
  }
  const deliveries: Record<string, Delivery> = {};
  const failures: { readonly channel: string; readonly error: unknown }[] = [];
  await Promise.all(
    planned.map(async ({ channel, deed, notice }) => {
      try {
        const bounded = deed === 'tell' || deed === 'trigger';
        deliveries[channel] = await deliver(channel, notice, { deed, bounded }, context);
        if (deed === 'trigger' && keepsAlerts(channel, context.settings))
          await closeIfOver(channel, notice, context);
      } catch (error) {
        context.note('a channel was not told', { channel, ...summarizeError(error) });
        failures.push({ channel, error });
      }
    }),
  );
  if (failures.length > 0) throw new Undelivered(failures);
  return deliveries;
}

/** Closes an alert whose incident was resolved while the alert was being opened. */
async function closeIfOver(channel: string, notice: Notice, context: NotifierContext): Promise<void> {
  const id = notice.incident?.id;
  const incident = id === undefined ? undefined : (await context.memory.incident(id))?.incident;
  if (incident === undefined || isOpen(incident)) return;
  await deliver(channel, notice, { deed: 'resolve', bounded: false }, context);
}
