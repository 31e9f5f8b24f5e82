import * as z from 'zod';
import { sameSecret } from '../deployed/names.ts';
import { plain } from '../notification/text.ts';
import { accessKeyPattern } from './signal.ts';

/** A honey secret, as the deployed function knows it. */
const honeySecretSchema = z.object({
  arn: z.string().min(1),
  name: z.string().min(1),
  owner: z.string().min(1),
  /** Id of the access key that lies in it. @default - it holds none */
  accessKeyId: z.string().regex(accessKeyPattern).optional(),
});
export type HoneySecret = z.output<typeof honeySecretSchema>;
export const honeySecretsSchema = z.record(z.string(), honeySecretSchema);

/**
 * A call that CloudTrail has logged, as far as it is looked at.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
const callSchema = z.object({
  'detail-type': z.string(),
  detail: z.object({
    eventSource: z.string().max(256),
    eventName: z.string().max(128),
    eventTime: z.string(),
    eventID: z.string().max(128),
    sourceIPAddress: z.string().default('unknown'),
    userAgent: z.string().default('unknown'),
    errorCode: z.string().optional(),
    userIdentity: z
      .object({
        arn: z.string().optional(),
        principalId: z.string().optional(),
        accessKeyId: z.string().optional(),
      })
      .default({}),
    requestParameters: z
      .object({ secretId: z.string().optional(), secretIdList: z.array(z.string()).optional() })
      .nullish(),
  }),
});

/** A use of a honey secret. */
export interface HoneyUse {
  /** Its key in the configuration. */
  readonly honeySecret: string;
  readonly secret: HoneySecret;
  readonly used: 'value' | 'access key';
  /** Id of the call, which CloudTrail gives it. */
  readonly callId: string;
  readonly principal: string;
  readonly call: string;
  readonly sourceAddress: string;
  readonly userAgent: string;
  readonly usedAt: string;
  readonly refused?: string;
}

/** Calls that read values. */
const reading = ['GetSecretValue', 'BatchGetSecretValue'];

/** Finds the honey secrets that a logged call has used. It asked for the value of one, or was signed with its access key. */
export function honeyUses(
  event: unknown,
  secrets: Readonly<Record<string, HoneySecret>>,
): readonly HoneyUse[] {
  const { data } = callSchema.safeParse(event);
  if (data === undefined) return [];
  const { detail } = data;
  const { userIdentity, requestParameters, errorCode } = detail;
  const isReading =
    detail.eventSource === 'secretsmanager.amazonaws.com' && reading.includes(detail.eventName);
  const asked = isReading
    ? [...(requestParameters?.secretIdList ?? []), requestParameters?.secretId ?? '']
    : [];
  const time = Date.parse(detail.eventTime);
  return Object.entries(secrets).flatMap(([honeySecret, secret]) => {
    const isRead = asked.some((id) => id !== '' && (sameSecret(id, secret.arn) || id === secret.name));
    const isSigned = secret.accessKeyId !== undefined && userIdentity.accessKeyId === secret.accessKeyId;
    if (!isRead && !isSigned) return [];
    return [
      {
        honeySecret,
        secret,
        used: isRead ? 'value' : 'access key',
        callId: detail.eventID,
        principal: plain(userIdentity.arn ?? userIdentity.principalId ?? 'unknown', 2_000) || 'unknown',
        call: plain(`${detail.eventSource.replace('.amazonaws.com', '')}:${detail.eventName}`, 200),
        sourceAddress: plain(detail.sourceIPAddress, 200),
        userAgent: plain(detail.userAgent, 400),
        usedAt: new Date(Number.isNaN(time) ? 0 : time).toISOString(),
        ...(errorCode !== undefined && { refused: plain(errorCode, 120) }),
      },
    ];
  });
}
