import * as z from 'zod';
import { hashOf } from '../fingerprint/digest.ts';
import { evidenceOf, idOf, linkOf, parsedSignal, type Reading, someTime, timeOf } from './signal.ts';

const schema = z.object({
  action: z.string().max(64),
  alert: z
    .object({
      number: z.int().min(0),
      created_at: z.string().max(64),
      updated_at: someTime,
      html_url: z.string().nullish(),
      secret_type: z.string().max(128).optional(),
      secret_type_display_name: z.string().max(256).nullish(),
      validity: z.string().max(32).nullish(),
      publicly_leaked: z.boolean().nullish(),
      /** Value that was found. GitHub's webhook leaves it out; what it sends all the same is hashed at once. */
      secret: z.string().max(65_536).nullish(),
    })
    .optional(),
  repository: z.object({ full_name: z.string().max(256) }).optional(),
});

/** Actions that tell of a leak. `validated` counts where GitHub has seen that the value works. */
const telling = ['created', 'reopened', 'publicly_leaked', 'validated'];

/** Milliseconds after which GitHub delivers nothing again. @see https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks */
export const redeliveredForMs = 3 * 86_400_000;

/**
 * Reads a `secret_scanning_alert` of GitHub. It says where a secret was found, and not its value.
 * @throws RekeyError `SignalMalformed`
 * @see https://docs.github.com/en/webhooks/webhook-events-and-payloads#secret_scanning_alert
 */
export function readGitHub(body: unknown, eventName: string): Reading {
  if (eventName !== 'secret_scanning_alert')
    return { ignored: `the event ${eventName.slice(0, 64)} is no alert` };
  const { action, alert, repository } = parsedSignal('github', schema, body);
  if (alert === undefined) return { ignored: `${action} names no alert` };
  if (!telling.includes(action)) return { ignored: `${action} tells of no new leak` };
  if (action === 'validated' && alert.validity !== 'active') {
    return { ignored: 'validated tells of no value that works' };
  }
  const url = linkOf(alert.html_url);
  const isWorse =
    alert.validity === 'active' || alert.publicly_leaked === true || action === 'publicly_leaked';
  return {
    signals: [
      {
        kind: 'github',
        id: idOf(repository?.full_name ?? 'unknown', `#${alert.number}`, action, alert.created_at),
        time: timeOf(alert.updated_at) ?? timeOf(alert.created_at) ?? alert.created_at,
        severity: isWorse ? 'critical' : 'high',
        subjects: typeof alert.secret === 'string' ? [{ fingerprint: hashOf(alert.secret) }] : [],
        ...(url !== undefined && { url }),
        evidence: evidenceOf(
          alert.secret_type_display_name ?? alert.secret_type,
          repository?.full_name,
          `alert ${alert.number}`,
          action,
        ),
      },
    ],
  };
}
