import * as z from 'zod';
import { type DetailType, isDetailType } from '../events/catalogue.ts';
import { plain } from '../notification/text.ts';
import { selectionSchema, selectionText } from '../revocation/selection.ts';
import type { Caller } from './call.ts';

/**
 * Events in which somebody says that they asked for something. AWS's own record of the call is held beside each. Of a rotation it
 * is the call of RotateSecret, and of all others that of PutEvents.
 */
export const attributedTypes = [
  'Secret Revocation Requested',
  'Secret Rotation Started',
  'Secret Rotation Abandoned',
  'Secret Rotation Paused',
  'Secret Rotation Resumed',
  'Rotation Function Released',
  'Approval Granted',
  'Approval Refused',
  'Approval Bypassed',
  'Revocation Task Done',
  'Incident Acknowledged',
  'Legal Hold Placed',
  'Principal Quarantine Requested',
  'Principal Quarantine Lift Requested',
] as const satisfies readonly DetailType[];
export type AttributedType = (typeof attributedTypes)[number];

export const isAttributed = (detailType: string): detailType is AttributedType =>
  (attributedTypes as readonly string[]).includes(detailType);

/** A word of somebody on the bus: who they say asked for what. */
export interface Claim {
  /** Id of the event on the bus, which EventBridge gave it. */
  readonly eventId: string;
  /** `metadata.id` of the event. */
  readonly factId: string;
  /** Id of the request; of a rotation, that of the version. */
  readonly requestId: string;
  readonly about: AttributedType;
  /** Name of what it is about, in words. */
  readonly subject: string;
  /** Actor, in the sender's own words. A rotation has none: the function that rotates tells of it. */
  readonly claimed?: string;
  /** ARN of the secret that rotates. */
  readonly secretArn?: string;
  readonly correlationId: string;
}

const word = z.string().min(1).max(2_048);

const envelopeSchema = z.object({
  id: z.string().min(1).max(128),
  'detail-type': z.string(),
  'replay-name': z.string().optional(),
  detail: z.object({
    metadata: z.object({
      id: z.string().min(1).max(128),
      actor: z.string().min(1).max(512),
      correlationId: z.string().min(1).max(256),
    }),
    data: z.object({
      requestId: word.optional(),
      incidentId: word.optional(),
      incident: word.optional(),
      versionId: word.optional(),
      secretArn: word.optional(),
      secretName: word.optional(),
      functionName: word.optional(),
      subject: word.optional(),
      taskId: word.optional(),
      principal: word.optional(),
      select: selectionSchema.optional(),
    }),
  }),
});
type Detail = z.output<typeof envelopeSchema>['detail'];

function requestOf(about: AttributedType, { metadata, data }: Detail): string | undefined {
  if (about === 'Secret Revocation Requested') return metadata.id;
  if (about === 'Secret Rotation Started') return data.versionId;
  return data.requestId ?? data.versionId ?? metadata.id;
}

/**
 * Reads who asked for something, out of an event as EventBridge hands it over.
 * @returns undefined for an event of another kind or form, and for a replay, which tells of what is over
 */
export function claimIn(event: unknown): Claim | undefined {
  const { data: read } = envelopeSchema.safeParse(event);
  const about = read?.['detail-type'];
  if (read === undefined || about === undefined || read['replay-name'] !== undefined) return undefined;
  if (!isDetailType(about) || !isAttributed(about)) return undefined;
  const { detail } = read;
  const requestId = requestOf(about, detail);
  const { data, metadata } = detail;
  const { secretName, secretArn, functionName, subject, taskId, principal, incident, incidentId, select } =
    data;
  if (requestId === undefined) return undefined;
  const named =
    secretName ??
    (select === undefined ? undefined : selectionText(select)) ??
    functionName ??
    subject ??
    taskId ??
    principal ??
    incident ??
    incidentId;
  const isRotation = about === 'Secret Rotation Started';
  return {
    eventId: read.id,
    factId: metadata.id,
    requestId,
    about,
    subject: plain(named ?? requestId, 256) || 'unnamed',
    ...(!isRotation && { claimed: metadata.actor }),
    ...(isRotation && secretArn !== undefined && { secretArn }),
    correlationId: metadata.correlationId,
  };
}

/**
 * Tells whether a caller is who the sender says. The words must name the caller: its ARN, the ARN of its role or user, or, of a
 * function, `lambda:` and its name. Any other words say nothing that could be true of anybody.
 */
export function agrees(claimed: string | undefined, caller: Caller): boolean {
  if (claimed === undefined) return true;
  if (claimed === caller.principal || claimed === caller.identity) return true;
  const name = /^lambda:(.+)$/.exec(claimed)?.[1];
  // By the function that AWS gave the credentials to: whoever takes a role may call their session like any function.
  return name !== undefined && name === /:function:([^:]+)/.exec(caller.function ?? '')?.[1];
}
