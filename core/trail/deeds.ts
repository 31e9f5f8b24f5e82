import * as z from 'zod';
import type { TrailCall } from './call.ts';

/** An event that a call put on a bus, and its id there. */
export interface PutEvent {
  /** Id that EventBridge gave the event: `id` of the envelope that its receivers get. */
  readonly eventId: string;
  readonly detailType: string;
}

/** A call that asked for a rotation. */
export interface AskedRotation {
  /** Name or ARN of the secret, as the caller gave it or the answer has it. */
  readonly secret: string;
  readonly versionId: string;
}

const id = z.string().min(1).max(128);
const secretId = z.string().min(1).max(2_048);

/** Request and answer of a call of PutEvents. The detail itself is hidden by AWS. */
const putSchema = z.object({
  sent: z.object({
    entries: z
      .array(z.object({ detailType: z.string().nullish(), eventBusName: z.string().nullish() }))
      .max(100),
  }),
  got: z.object({ entries: z.array(z.object({ eventId: id.nullish() })).max(100) }),
});

/**
 * Lists the events that a call put on a bus. A call of PutEvents that was refused put none, and of others only the entries that
 * the bus took have an id.
 * @param busArn - ARN of the bus
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/logging-using-cloudtrail.html
 */
export function eventsPut(call: TrailCall, busArn: string): readonly PutEvent[] {
  if (call.service !== 'events.amazonaws.com' || call.name !== 'PutEvents' || call.refused !== undefined)
    return [];
  const { data } = putSchema.safeParse({ sent: call.parameters, got: call.response });
  if (data === undefined) return [];
  const name = busArn.split('/').at(-1);
  return data.sent.entries.flatMap(({ detailType, eventBusName }, place) => {
    const eventId = data.got.entries[place]?.eventId;
    const isOnBus = eventBusName === busArn || eventBusName === name;
    return isOnBus && typeof eventId === 'string' && typeof detailType === 'string'
      ? [{ eventId, detailType }]
      : [];
  });
}

const secretsManager = 'secretsmanager.amazonaws.com';

const readSchema = z.object({
  secretId: secretId.nullish(),
  secretIdList: z.array(secretId).max(100).nullish(),
});

/**
 * Lists the secrets whose value a call read, as the caller named them. What AWS refused was not read.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
 */
export function secretsRead(call: TrailCall): readonly string[] {
  if (call.service !== secretsManager || call.refused !== undefined) return [];
  if (call.name !== 'GetSecretValue' && call.name !== 'BatchGetSecretValue') return [];
  const { data } = readSchema.safeParse(call.parameters);
  return [
    ...new Set([
      ...(data?.secretIdList ?? []),
      ...(typeof data?.secretId === 'string' ? [data.secretId] : []),
    ]),
  ];
}

const rotationSchema = z.object({
  sent: z.object({ secretId, clientRequestToken: id.nullish() }),
  // Secrets Manager writes some members with a small first letter and a large second one.
  got: z.object({ arn: secretId.nullish(), aRN: secretId.nullish(), versionId: id.nullish() }).nullish(),
});

/**
 * Finds the rotation that a call asked for. Rotations by schedule are no calls.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 */
export function rotationAsked(call: TrailCall): AskedRotation | undefined {
  if (call.service !== secretsManager || call.name !== 'RotateSecret' || call.refused !== undefined)
    return undefined;
  const { data } = rotationSchema.safeParse({ sent: call.parameters, got: call.response });
  const versionId = data?.got?.versionId ?? data?.sent.clientRequestToken;
  if (data === undefined || typeof versionId !== 'string') return undefined;
  return { secret: data.got?.arn ?? data.got?.aRN ?? data.sent.secretId, versionId };
}
