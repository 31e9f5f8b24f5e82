import * as z from 'zod';
import { quarantinedArnSchema } from '../quarantine/principal.ts';
import { quarantineScopes } from '../quarantine/state.ts';

const reason = z.string().min(1).max(1024);
const incident = z.string().min(1).max(256).optional();

/** Request for a quarantine. */
const quarantineRequestSchema = z.strictObject({
  /** ARN of the role or user, with its path. */
  principal: quarantinedArnSchema,
  /** `sessions`: those that began before. `all`: whoever acts as the principal, until it is lifted. */
  scope: z.enum(quarantineScopes),
  reason,
  incident,
});

/** Request for the end of a quarantine. */
const quarantineLiftSchema = z.strictObject({
  principal: quarantinedArnSchema,
  /** `metadata.id` of the request for the quarantine that it lifts. */
  quarantineId: z.uuid(),
  reason,
  incident,
});

/** Fields of a quarantine that was carried out, or ended. */
const quarantined = {
  /** `metadata.id` of the request. */
  requestId: z.string().min(1),
  principal: z.string().min(1),
  reason: z.string(),
  incident: z.string().optional(),
  requestedAt: z.iso.datetime(),
};

/** Schemas of the events on quarantines of principals, by detail type. */
export const quarantineSchemas = {
  'Principal Quarantine Requested': quarantineRequestSchema,
  'Principal Quarantine Lift Requested': quarantineLiftSchema,
  'Principal Quarantined': z.object({
    ...quarantined,
    scope: z.enum(quarantineScopes),
    /** Time before which sessions began that are denied; of `all` the time from which it holds. */
    before: z.iso.datetime(),
    /** `metadata.id` of the request for the quarantine that it took the place of. */
    replaces: z.string().optional(),
  }),
  'Principal Quarantine Lifted': z.object({
    ...quarantined,
    /** `metadata.id` of the request for the quarantine. */
    quarantineId: z.string().min(1),
  }),
  'Principal Quarantine Refused': z.object({
    requestId: z.string(),
    /** Source of the request, as the bus reports it. */
    requestSource: z.string(),
    /** ARN that was asked about; absent where the request has none of the agreed form. */
    principal: z.string().optional(),
    incident: z.string().optional(),
    error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }),
  }),
} as const;
