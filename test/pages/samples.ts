import { IncidentCollector } from '../../cli/incident-records.ts';
import type { Evidence } from '../../cli/report/evidence.ts';
import { incidentPage } from '../../cli/report/incident-page.ts';
import type { AuditEvent } from '../../core/audit/format.ts';
import { emptyHead, encodeObject } from '../../core/audit/format.ts';
import { verifyLog } from '../../core/audit/verify.ts';
import { findIncident, incidentsOf } from '../../core/incident/incident-course.ts';
import {
  begun,
  ended,
  planned,
  requested,
  revocation,
  start,
  taskDone,
  told,
} from '../core/incident/sample.ts';

/** Texts that would be markup, or turn the text around them, if they were not shown as they are. */
export const hostile = [
  '<script>document.title="owned"</script>',
  '"><img src=x onerror="document.title=\'owned\'">',
  '\u202egnp.exe\u2066 turned',
  'قاعدة بيانات الطلبات',
  `/prod/${'very-long-name-without-a-break'.repeat(8)}`,
  '</style><style>*{display:none}</style>',
  '{{constructor}} #{1+1} javascript:alert(1)',
  'lone \ud800 half, \u0000 and \u001b[31m',
] as const;

/** Makes the page of the only incident of these events. */
async function pageOf(events: readonly AuditEvent[], id: string): Promise<string> {
  const { key, body, head } = encodeObject(emptyHead, events, new Date(start + 60_000_000));
  const collector = new IncidentCollector({
    async *versions() {
      yield { key, deleteMarker: false, latest: true };
    },
    read: async () => body,
  });
  const report = await verifyLog(collector, { now: new Date(start + 60_000_000) });
  const incident = findIncident(incidentsOf(collector.records.map(({ record }) => record)), id);
  if (incident === undefined) throw new Error(`no incident ${id}`);
  const records = collector.records.map(({ evidence }) => evidence);
  const evidence: Evidence = {
    readAt: new Date(start + 60_000_000),
    records,
    objects: collector.objectsOf(records),
    verification: { ...report, head: `${head.sequence}:${head.hash}`, source: 's3://rekey-prod-audit' },
  };
  return incidentPage(incident, 'prod', evidence);
}

/** A plan for three secrets, one of which stays unproven and one failed at first. */
export const openIncident = (): Promise<string> =>
  pageOf(
    [
      ...planned(['Succeeded', 'Unproven', 'Failed']),
      ...revocation({ requestId: 'again', secretName: '/prod/part-2', at: 12_000, incident: 'INC-4711' }),
      requested({ requestId: 'late', secretName: '/prod/late', at: 15_000, incident: 'INC-4711' }),
      ...begun({ requestId: 'late', secretName: '/prod/late', at: 15_000, incident: 'INC-4711' }).slice(0, 2),
    ],
    'INC-4711',
  );

/** Twelve secrets, all proven, and a task that was done a minute later. */
export const closedIncident = (): Promise<string> =>
  pageOf([...planned(Array.from({ length: 12 }, () => 'Succeeded' as const)), taskDone], 'INC-4711');

/** An incident in which every text from outside is hostile. */
export const hostileIncident = (): Promise<string> =>
  pageOf(
    hostile.flatMap((text, index) => {
      const of = {
        requestId: `${index} ${text}`,
        secretName: text,
        at: index * 1_000,
        incident: hostile[0],
        reason: text,
        correlationId: text,
      };
      const end = ended(of, (['Succeeded', 'Unproven', 'Failed'] as const)[index % 3] ?? 'Failed');
      const data = Object(end.detail.data) as Record<string, unknown>;
      return [
        {
          ...requested(of),
          detail: {
            ...requested(of).detail,
            metadata: { ...Object(requested(of).detail.metadata), claimedActor: text },
          },
        },
        ...begun(of),
        {
          ...end,
          detail: {
            ...end.detail,
            data: {
              ...data,
              ...(data.note !== undefined && { note: text }),
              ...(data.error !== undefined && { error: { code: text, message: text, retryable: false } }),
              ...(data.containments !== undefined && {
                containments: [
                  {
                    versionIds: ['v1'],
                    identity: text,
                    loginsRefused: index % 2 === 0,
                    sessionsEnded: 1,
                    note: text,
                  },
                ],
              }),
            },
          },
        },
        told('Revocation Task Opened', 4_000, {
          requestId: of.requestId,
          taskId: text,
          task: text,
          via: text,
        }),
        told('Revocation Task Done', 9_000, {
          requestId: of.requestId,
          taskId: text,
          via: text,
          note: text,
          claimedActor: text,
        }),
      ];
    }),
    hostile[0],
  );
