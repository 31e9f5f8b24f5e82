import * as z from 'zod';

/** Id of an incident, made from a hash of its subject. The same matter so has the same id each time. */
const incidentId = z.string().regex(/^[0-9a-f]{12}$/, 'must be 12 hexadecimal digits');

/** Schemas of the events of notifications, by detail type. */
export const notificationSchemas = {
  'Incident Escalated': z.object({
    incidentId,
    /** Name of the secret or function that it is about. */
    subject: z.string().min(1),
    /** Detail type of the event with which it began. */
    event: z.string().min(1),
    urgency: z.enum(['emergency', 'warning']),
    openedAt: z.iso.datetime(),
    /** Number of the step, from 1. */
    step: z.int().min(1),
    /** Channels that are told now. */
    channels: z.array(z.string()),
  }),
  'Incident Acknowledged': z.object({
    incidentId,
    /** Reason, or the person who does something now. */
    note: z.string().min(1).max(1024).optional(),
  }),
  'Legal Hold Placed': z.object({
    /** Incident whose records are held: its name, or the id of its first request. */
    incident: z.string().min(1).max(256),
    /** Number of objects of the audit log. */
    objects: z.int().min(0),
    firstKey: z.string(),
    lastKey: z.string(),
    reason: z.string().min(1).max(1024).optional(),
  }),
  'Notification Test Requested': z.object({
    /** Channels to test. @default - all of them */
    channels: z.array(z.string().min(1).max(64)).max(20).optional(),
  }),
} as const;
