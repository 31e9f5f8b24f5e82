import * as z from 'zod';
import { sameSecret } from '../deployed/names.ts';
import type { EventData } from '../events/catalogue.ts';
import type { TrailCall } from './call.ts';
import { agrees, attributedTypes, type Claim } from './claim.ts';

const text = z.string();

/** A call that asked for something, as it is kept until the word of its sender is known. */
export interface AskingCall
  extends Pick<TrailCall, 'id' | 'time' | 'caller' | 'sourceAddress' | 'userAgent'> {
  /** Secret whose rotation it asked for, as the caller named it. */
  readonly secret?: string;
}

/** Reads a call that was kept. */
export const askingCallSchema = z.object({
  id: text,
  time: text,
  caller: z.object({
    principal: text,
    identity: text.optional(),
    session: text.optional(),
    account: text.optional(),
    function: text.optional(),
  }),
  sourceAddress: text,
  userAgent: text,
  secret: text.optional(),
});

/** Reads a claim that was kept. */
export const claimSchema = z.object({
  eventId: text,
  factId: text,
  requestId: text,
  about: z.enum(attributedTypes),
  subject: text,
  claimed: text.optional(),
  secretArn: text.optional(),
  correlationId: text,
});

/** Gives the part of a call that is kept until the other half of the pair is there. */
export const askingCall = (
  { id, time, caller, sourceAddress, userAgent }: TrailCall,
  secret?: string,
): AskingCall => ({ id, time, caller, sourceAddress, userAgent, ...(secret !== undefined && { secret }) });

/** Names the pair that an event on the bus and its call are the halves of. */
export const pairOfEvent = (eventId: string): string => `event ${eventId}`;

/** Names the pair that a rotation and its call are the halves of. */
export const pairOfRotation = (versionId: string): string => `rotation ${versionId}`;

/** Names the pair that a claim is one half of. */
export const pairOfClaim = ({ about, eventId, requestId }: Claim): string =>
  about === 'Secret Rotation Started' ? pairOfRotation(requestId) : pairOfEvent(eventId);

/**
 * Tells whether a call is the one that a claim is about. Two secrets may have a version of the same id: whoever asks for a
 * rotation chooses it.
 */
export const belongs = ({ secretArn }: Claim, { secret }: AskingCall): boolean =>
  secretArn === undefined || secret === undefined || sameSecret(secret, secretArn);

/** Puts a claim and the call beside each other, as the event that tells of both. */
export function attribution(claim: Claim, call: AskingCall): EventData<'Request Attributed'> {
  const { caller, time, sourceAddress, userAgent, id } = call;
  const { requestId, about, subject, claimed } = claim;
  return {
    requestId,
    about,
    subject,
    ...(claimed !== undefined && { claimed }),
    proven: {
      principal: caller.principal,
      ...(caller.identity !== undefined && { identity: caller.identity }),
      ...(caller.session !== undefined && { session: caller.session }),
      ...(caller.function !== undefined && { function: caller.function }),
      sourceAddress,
      userAgent,
      time,
      trailEventId: id,
    },
    agrees: agrees(claimed, caller),
  };
}
