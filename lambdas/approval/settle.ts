import { type ApprovalOperation, isExpired, isOverdue, outcomeOf } from '../../core/approval/request.ts';
import type { Announcement, ApprovalRecord, ApprovalStore, WaitingTasks } from '../../core/approval/store.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { AnyEvent } from '../../core/events/catalogue.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import type { EventBus } from '../../core/ports.ts';

export interface SettleDependencies {
  readonly store: ApprovalStore;
  readonly tasks: WaitingTasks;
  /** Gives the bus for the records of an operation: no emergency is held up by its record. */
  readonly bus: (operation: ApprovalOperation) => EventBus;
  readonly origin: EventOrigin;
}

/**
 * Does whatever is due about a request. It is announced, escalated, ended and recorded, and its workflow goes on. Each part is noted when it is done, so that it is picked up where an earlier run ended. Records come before the
 * deed that they tell of.
 */
export async function settle(
  record: ApprovalRecord,
  dependencies: SettleDependencies,
): Promise<ApprovalRecord> {
  const { store, tasks, origin } = dependencies;
  const now = origin.clock.now();
  const decided = await decidedIn(record, dependencies);
  await announce(decided, 'requested', dependencies);
  if (decided.decision === undefined) {
    if (isOverdue(decided.request, now)) await announce(decided, 'escalated', dependencies);
    return decided;
  }
  await announce(decided, 'decided', dependencies);
  // The token may be of a wait that has ended by now. The next wait finds the decision, and ends at once.
  const { token } = (await store.find(decided.request.id)) ?? decided;
  if (token !== undefined) await tasks.complete(token, outcomeOf(decided.request, decided.decision));
  return decided;
}

/** Ends the time of a request that nobody answered. An answer that came at the same moment is what counts. */
async function decidedIn(
  record: ApprovalRecord,
  { store, origin }: SettleDependencies,
): Promise<ApprovalRecord> {
  const now = origin.clock.now();
  const { request, decision } = record;
  if (decision !== undefined || !isExpired(request, now)) return record;
  const expired = await store.decide(request.id, { outcome: 'expired', at: now.toISOString() });
  return expired ?? (await known(store, request.id));
}

/**
 * Reads a request that is there.
 * @throws RekeyError `ApprovalUnknown`
 */
export async function known(store: Pick<ApprovalStore, 'find'>, requestId: string): Promise<ApprovalRecord> {
  const record = await store.find(requestId);
  if (record === undefined) {
    throw new RekeyError(
      'ApprovalUnknown',
      `no request ${JSON.stringify(requestId.slice(0, 128))} waits for approval here; rekey approval list shows those that do`,
    );
  }
  return record;
}

async function announce(
  record: ApprovalRecord,
  what: Announcement,
  { store, bus, origin }: SettleDependencies,
): Promise<void> {
  if (record.announced.has(what)) return;
  const { id, operation } = record.request;
  await bus(operation).publish([announcementOf(record, what, origin)]);
  await store.noteAnnounced(id, what);
}

function announcementOf(
  { request, decision }: ApprovalRecord,
  what: Announcement,
  origin: EventOrigin,
): AnyEvent {
  const { id, correlationId, operation, subject, act, author, reason, onExpiry } = request;
  const { expiresAt, escalatesAt } = request;
  const common = { requestId: id, operation, subject, act, author: author.arn };
  const links = { correlationId, causationId: id, fact: id };
  const limits = { expiresAt, ...(escalatesAt !== undefined && { escalatesAt }), onExpiry };
  if (what === 'requested') {
    return createEvent(origin, 'Approval Requested', { ...common, reason, ...limits }, links);
  }
  if (what === 'escalated' || decision === undefined) {
    return createEvent(origin, 'Approval Escalated', { ...common, reason, ...limits }, links);
  }
  if (decision.outcome === 'expired') {
    return createEvent(origin, 'Approval Expired', { ...common, onExpiry, expiresAt }, links);
  }
  const { by, way, at } = decision;
  const answer = {
    ...common,
    approver: by.arn ?? by.name,
    way,
    answeredAt: at,
    ...(decision.reason !== undefined && { reason: decision.reason }),
  };
  return decision.outcome === 'granted'
    ? createEvent(origin, 'Approval Granted', answer, links)
    : createEvent(origin, 'Approval Refused', answer, links);
}
