import * as z from 'zod';
import {
  evidenceOf,
  idOf,
  linkOf,
  parsedSignal,
  type Reading,
  type SignalSeverity,
  someTime,
  timeOf,
} from './signal.ts';

const schema = z.object({
  action: z.string().max(64),
  timestamp: someTime,
  incident: z
    .object({
      id: z.union([z.int(), z.string().max(64)]),
      date: someTime,
      detector: z
        .object({ name: z.string().max(128), display_name: z.string().max(256).optional() })
        .optional(),
      gitguardian_url: z.string().nullish(),
      severity: z.string().max(32).nullish(),
      validity: z.string().max(64).nullish(),
    })
    .optional(),
});

/** Actions that tell of a leak; the others tell what people do about it. */
const telling = ['incident_triggered', 'incident_reopened', 'incident_regression'];

const severities: Readonly<Record<string, SignalSeverity>> = {
  critical: 'critical',
  high: 'high',
  medium: 'medium',
  low: 'low',
};

/**
 * Reads an incident of GitGuardian. It names detector and page; the hashes that it carries are of another kind than Rekey's, so
 * which secret it is, a person finds out.
 * @throws RekeyError `SignalMalformed`
 * @see https://docs.gitguardian.com/platform/configure-alerting/notifiers-integrations/custom-webhook
 */
export function readGitGuardian(body: unknown, now: Date): Reading {
  const { action, timestamp, incident } = parsedSignal('gitguardian', schema, body);
  if (incident === undefined || !telling.includes(action))
    return { ignored: `${action} tells of no new leak` };
  const { id, date, detector, severity, validity } = incident;
  const url = linkOf(incident.gitguardian_url);
  return {
    signals: [
      {
        kind: 'gitguardian',
        id: idOf(id, action),
        time: timeOf(timestamp) ?? timeOf(date) ?? now.toISOString(),
        severity: severities[severity?.toLowerCase() ?? ''] ?? 'high',
        subjects: [],
        ...(url !== undefined && { url }),
        evidence: evidenceOf(
          detector?.display_name ?? detector?.name,
          `incident ${id}`,
          typeof validity === 'string' ? `validity ${validity}` : undefined,
        ),
      },
    ],
  };
}
