import * as z from 'zod';
import { hashPattern } from '../fingerprint/digest.ts';
import {
  accessKeyPattern,
  evidenceOf,
  idOf,
  linkOf,
  parsedSignal,
  type Reading,
  signalSeverities,
  timeOf,
} from './signal.ts';

const subjectSchema = z.union([
  z.strictObject({ accessKeyId: z.string().regex(accessKeyPattern) }),
  z.strictObject({ fingerprint: z.string().regex(hashPattern) }),
  z.strictObject({ secret: z.string().min(1).max(2_048) }),
]);

/** Message of a sender of one's own. It holds names and hashes, and never a value. */
const webhookSignalSchema = z.strictObject({
  /** Id of the matter at its sender. @default - the id of the message */
  id: z.string().min(1).max(128).optional(),
  time: z.iso.datetime().optional(),
  severity: z.enum(signalSeverities).default('high'),
  subjects: z.array(subjectSchema).min(1).max(100),
  url: z.url().max(2_048).optional(),
  evidence: z.string().max(300).default(''),
});

/**
 * Reads a message of any sender that signs as Rekey's own webhooks do.
 * @param messageId - header `webhook-id`, which the signature covers
 * @throws RekeyError `SignalMalformed`
 */
export function readWebhook(body: unknown, messageId: string, now: Date): Reading {
  const { id, time, severity, subjects, evidence, ...rest } = parsedSignal(
    'webhook',
    webhookSignalSchema,
    body,
  );
  const url = linkOf(rest.url);
  return {
    signals: [
      {
        kind: 'webhook',
        id: idOf(id ?? messageId),
        time: timeOf(time) ?? now.toISOString(),
        severity,
        subjects,
        ...(url !== undefined && { url }),
        evidence: evidenceOf(evidence),
      },
    ],
  };
}
