import * as z from 'zod';
import {
  evidenceOf,
  idOf,
  keysOf,
  parsedSignal,
  type Reading,
  type SignalSeverity,
  timeOf,
} from './signal.ts';

/**
 * Codes of AWS Health by which AWS says that an access key is in the wrong hands.
 * @see https://docs.aws.amazon.com/health/latest/ug/aws-health-concepts-and-terms.html
 */
export const healthCodes: Readonly<Record<string, SignalSeverity>> = {
  AWS_RISK_CREDENTIALS_EXPOSED: 'critical',
  AWS_RISK_CREDENTIALS_COMPROMISED: 'critical',
  AWS_RISK_CREDENTIALS_EXPOSURE_SUSPECTED: 'high',
  AWS_RISK_CREDENTIALS_COMPROMISE_SUSPECTED: 'high',
};

const schema = z.object({
  source: z.literal('aws.health'),
  time: z.string(),
  detail: z.object({
    eventArn: z.string().min(1).max(1_024),
    eventTypeCode: z.string().min(1).max(128),
    startTime: z.string().optional(),
    affectedEntities: z
      .array(z.object({ entityValue: z.string().max(256) }))
      .max(1_000)
      .default([]),
  }),
});

/**
 * Reads an event of AWS Health. AWS finds keys in public places, and names the key in the entities.
 * @throws RekeyError `SignalMalformed`
 * @see https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html
 */
export function readHealth(event: unknown): Reading {
  const { detail, time } = parsedSignal('health', schema, event);
  const severity = healthCodes[detail.eventTypeCode];
  if (severity === undefined) return { ignored: `${detail.eventTypeCode} is not about credentials` };
  return {
    signals: [
      {
        kind: 'health',
        id: idOf(detail.eventArn),
        time: timeOf(detail.startTime) ?? timeOf(time) ?? time,
        severity,
        subjects: keysOf(detail.affectedEntities.map(({ entityValue }) => entityValue)),
        evidence: evidenceOf(detail.eventTypeCode, ...detail.affectedEntities.map((one) => one.entityValue)),
      },
    ],
  };
}
