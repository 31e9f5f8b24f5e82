import { factOf } from '../audit/event.ts';
import type { AuditRecord } from '../audit/format.ts';
import { RecordedEvent } from '../audit/recorded-event.ts';

/** A recorded event, as an incident reads it. A fact that was recorded twice is one. */
export interface Fact {
  /** Sequence of the first record of it. */
  readonly sequence: number;
  readonly detailType: string;
  /** Time at which it happened, in milliseconds: as the event says, and never later than it was recorded. */
  readonly at: number;
  readonly source: string;
  readonly recorded: RecordedEvent;
  /** Id of the request that it belongs to. */
  readonly requestId?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  /** Id of the request to whose plan it belongs. */
  readonly partOf?: string;
}

/** Order of what happened in one millisecond. */
const order: readonly string[] = [
  'Secret Revocation Requested',
  'Principal Quarantine Requested',
  'Principal Quarantine Refused',
  'Principal Quarantined',
  'Principal Quarantine Lift Requested',
  'Principal Quarantine Lifted',
  'Revocation Planned',
  'Revocation Task Opened',
  'Approval Bypassed',
  'Approval Requested',
  'Approval Escalated',
  'Approval Granted',
  'Approval Refused',
  'Approval Expired',
  'Secret Revocation Rejected',
  'Secret Revocation Started',
  'Incident Escalated',
  'Incident Acknowledged',
  'Secret Rotation Started',
  'Credential Contained',
  'Secret Rotation Succeeded',
  'Secret Rotation Failed',
  'Secret Revocation Succeeded',
  'Secret Revocation Unproven',
  'Secret Revocation Failed',
  'Revocation Member Concluded',
  'Revocation Task Done',
  'Revocation Concluded',
];

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Reads a time of an event, in milliseconds; undefined where it is none. */
export function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/**
 * Reads recorded events in the order in which they happened, each fact once. The order of the records, and how often each is
 * given, change nothing.
 */
export function factsOf(records: readonly AuditRecord[]): readonly Fact[] {
  const first = new Map<string, AuditRecord>();
  for (const record of records) {
    const key = factOf(record.event);
    const known = first.get(key);
    if (known === undefined || record.sequence < known.sequence) first.set(key, record);
  }
  return [...first.values()].map(toFact).sort(compare);
}

function toFact({ sequence, recordedAt, event }: AuditRecord): Fact {
  const recorded = new RecordedEvent(event);
  const { metadata } = recorded;
  const recordedMs = timeOf(recordedAt) ?? 0;
  // A request has no id in its data: its own is meant.
  const requestId = /^(?:Secret|Principal) \w+(?: Lift)? Requested$/.test(event.detailType)
    ? text(metadata.id)
    : recorded.text('requestId');
  const [correlationId, causationId] = [text(metadata.correlationId), text(metadata.causationId)];
  const partOf = recorded.text('partOf');
  return {
    sequence,
    detailType: event.detailType,
    at: Math.min(timeOf(metadata.time) ?? timeOf(event.time) ?? recordedMs, recordedMs),
    source: event.source,
    recorded,
    ...(requestId !== undefined && { requestId }),
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
    ...(partOf !== undefined && { partOf }),
  };
}

const rank = ({ detailType }: Fact): number => {
  const place = order.indexOf(detailType);
  return place === -1 ? order.length : place;
};

const compare = (a: Fact, b: Fact): number => a.at - b.at || rank(a) - rank(b) || a.sequence - b.sequence;
