import type { AuditEvent } from '../../../core/audit/format.ts';
import { emptyHead, encodeObject, type Head } from '../../../core/audit/format.ts';
import { MemoryAuditStore } from '../../lambdas/audit/memory-audit-store.ts';

export const start = Date.parse('2026-03-01T12:00:00.000Z');

/** An event of the catalogue; each number is a fact of its own. */
export function finding(number: number): AuditEvent {
  const uuid = `0195${String(number).padStart(4, '0')}-0000-7000-8000-000000000000`;
  return {
    id: `bus-${number}`,
    source: 'rekey.rotation',
    detailType: 'Finding Raised',
    time: new Date(start + number * 1000).toISOString(),
    account: '111122223333',
    region: 'eu-central-1',
    detail: {
      metadata: {
        id: uuid,
        schemaVersion: 1,
        time: new Date(start + number * 1000).toISOString(),
        environment: 'test',
        actor: 'test',
        correlationId: `correlation-${number}`,
      },
      data: {
        secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbCdEf',
        code: 'PlaintextAllowed',
        severity: 'low',
        message: `ünïcode\u2028 "quoted" ${number}`,
      },
    },
  };
}

/** A lifecycle event about one rotation or revocation. */
export function lifecycle(detailType: string, data: Record<string, unknown>, id: string): AuditEvent {
  const event = finding(1);
  return {
    ...event,
    id: `bus-${detailType}-${id}`,
    detailType,
    detail: { metadata: { ...(event.detail.metadata as object), id }, data },
  };
}

/** A log with objects of the given sizes. */
export function sampleLog(sizes: readonly number[]): { store: MemoryAuditStore; head: Head } {
  const store = new MemoryAuditStore();
  let head = emptyHead;
  for (const size of sizes) {
    const events = Array.from({ length: size }, (_, index) => finding(head.sequence + index + 1));
    const object = encodeObject(head, events, new Date(start + head.sequence * 1000));
    store.overwrite(object.key, object.body);
    head = object.head;
  }
  return { store, head };
}

/** A log of the given events, one object. */
export function logOf(events: readonly AuditEvent[]): MemoryAuditStore {
  const store = new MemoryAuditStore();
  const { key, body } = encodeObject(emptyHead, events, new Date(start));
  store.overwrite(key, body);
  return store;
}
