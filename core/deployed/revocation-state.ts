import * as z from 'zod';
import { approvalOutcomeSchema, approvalRequestSchema } from '../approval/request.ts';
import {
  type Containment,
  revocationModes,
  revocationRequestSchema,
  type Verification,
} from '../events/catalogue.ts';
import type { PlanPhase } from '../revocation/plan.ts';
import { assignmentSchema } from '../secret/definition.ts';
import { usualStepSeconds } from './limits.ts';

/**
 * Names, ARNs, version ids, identities, times and outcomes that travel through the revocation workflow. No secret value, and
 * nothing derived from one, ever enters the state, since Step Functions keeps it for 90 days.
 */

/** Input that the intake starts the workflow with. */
export const workflowInputSchema = z.object({
  /** `metadata.id` of the request. */
  requestId: z.string(),
  correlationId: z.string(),
  /** SHA-256 of the request, to tell a repeated request from another one with the same id. */
  requestDigest: z.string(),
  mode: z.enum(revocationModes),
  secretArn: z.string(),
  secretName: z.string(),
  /** Name of the function that reaches the secret's target. */
  containmentFunction: z.string(),
  /** Seconds that a step of its rotation may take. */
  stepSeconds: z.number().default(usualStepSeconds),
  /** Outcome of an earlier run of the step that rotates. */
  rotated: z.object({ lookups: z.number().default(0), turnAt: z.iso.datetime().optional() }).optional(),
  /** The versions that leaked: those named, or all that existed when the request was taken. */
  versions: z.array(z.string()),
  /** True when the request named them. */
  named: z.boolean(),
  requestedAt: z.iso.datetime(),
  /** Time at which the request was taken, by Rekey's own clock. Versions that are older leaked, too, where none are named. */
  takenAt: z.iso.datetime().nullish(),
  /** Consumers of the secret's definition, to whom a person turns where nothing could be proven. */
  consumers: z.array(z.string()).default([]),
  /** User, place and admin secret that the deployment names as the secret's; null where it names none. */
  assigned: assignmentSchema.nullish(),
  owner: z.string().optional(),
  /** Facts that a second person decides on; missing where the revocation waits for nobody. */
  approval: approvalRequestSchema.pick({ author: true, reason: true }).optional(),
  /** Id of the request whose plan it belongs to, where that is about several secrets. */
  partOf: z.string().optional(),
});
export type WorkflowInput = z.output<typeof workflowInputSchema>;

/** Input that the intake starts the workflow of several secrets with. */
export const planInputSchema = z.object({
  requestId: z.string(),
  correlationId: z.string(),
  requestDigest: z.string(),
  requestedAt: z.iso.datetime(),
  /** Time at which the request was taken, by Rekey's own clock. A sender's may be wrong by hours. */
  takenAt: z.iso.datetime(),
  request: revocationRequestSchema,
  /** Selection in words, and the mode, as a second person is shown them. */
  subject: z.string(),
  mode: z.enum(revocationModes),
  /** Owner whose secrets alone the sender may ask for. @default - all */
  owner: z.string().optional(),
  approval: approvalRequestSchema.pick({ author: true, reason: true }).optional(),
});
export type PlanInput = z.output<typeof planInputSchema>;

/** The state of the loop that follows the members of a plan. */
export const memberLoopSchema = z.object({
  done: z.boolean(),
  /** Seconds until they are looked at again, a whole number. */
  waitSeconds: z.number(),
  /** Times at which their requests were last sent, by the names of the members. */
  sent: z.record(z.string(), z.iso.datetime()),
});
export type MemberLoop = z.output<typeof memberLoopSchema>;

/** A secret in the manifest of a step: the input of its own revocation, and what the step does. */
export interface ManifestSecret extends WorkflowInput {
  readonly partOf: string;
  readonly phase: PlanPhase;
}

/** A lane in the manifest of a step; see `PlanLane`. */
export interface ManifestLane {
  readonly target: string;
  readonly secrets: readonly ManifestSecret[];
}

/** The place of a plan in its bucket, for the states that follow. */
export interface PlacedPlan {
  readonly bucket: string;
  /** Keys of the steps' manifests, in order. */
  readonly steps: readonly string[];
  readonly count: number;
  /** Selection in words, with what the plan has: a second person decides on it. */
  readonly subject: string;
}

/** Input of the containment function. */
export const containmentInputSchema = z.object({
  action: z.enum(['contain', 'verify']),
  requestId: z.string(),
  correlationId: z.string(),
  secretArn: z.string(),
  secretName: z.string(),
  versions: z.array(z.string()),
  named: z.boolean(),
  /** Time at which the revocation was asked for, by the sender's clock. */
  requestedAt: z.iso.datetime().optional(),
  /** Time at which the request was taken, by Rekey's own clock. Versions that are older leaked, too, where none are named. */
  takenAt: z.iso.datetime().nullish(),
  assigned: assignmentSchema.nullish(),
  /** The version that the revocation's own rotation made, and since when the target has it. */
  newVersionId: z.string().optional(),
  rotatedAt: z.iso.datetime().optional(),
});
export type ContainmentInput = z.output<typeof containmentInputSchema>;

/** The outcome of cutting off. */
export interface ContainOutcome {
  readonly containments: readonly Containment[];
  /** Time at which the target was seen to refuse every leaked credential, where that was tried. */
  readonly refusedAt?: string;
}

/** The proof, as far as there is one. */
export interface VerifyOutcome {
  readonly verifications: readonly Verification[];
  readonly unavailableVersions: readonly string[];
  /** Answer to the current credential: accepted, or nothing that Rekey can reach could say. */
  readonly current: 'accepted' | 'unverifiable';
  /** Text on who accepts or refuses an `unverifiable` current credential. */
  readonly note?: string;
  /** Time at which every leaked credential was seen to be refused; missing where one could not be tried. */
  readonly refusedAt?: string;
}

/** The outcome of rotating. */
export interface RotateOutcome {
  readonly newVersionId: string;
  /** Time at which the new version was first seen to be current. */
  readonly rotatedAt: string;
  /** Name of the function that reaches the target now: a deploy may have replaced it since the request was taken. */
  readonly containmentFunction: string;
  /** Number of times that it was looked up; see {@link mostLookups}. */
  readonly lookups: number;
}

/** The outcome of a rotation that has to wait for its turn. */
export interface LaterTurn {
  /** Seconds to wait, a whole number. */
  readonly waitSeconds: number;
  /** Time of the start that is reserved. */
  readonly turnAt: string;
  readonly lookups: number;
}

/** Number of times that the workflow looks up a function that is gone, before the revocation fails. */
export const mostLookups = 5;

const failureSchema = z.object({ Error: z.string(), Cause: z.string().optional() });

const containmentSchema = z.object({
  versionIds: z.array(z.string()),
  identity: z.string(),
  loginsRefused: z.boolean(),
  sessionsEnded: z.number(),
  note: z.string().optional(),
});
/** The selector of the state machine puts what a containment function returned under `value`. */
const containedSchema = z
  .object({
    value: z.object({ containments: z.array(containmentSchema), refusedAt: z.iso.datetime().optional() }),
  })
  .transform(({ value }) => value);

/** State of the workflow when it ended, which the report is made of. */
export const finalStateSchema = workflowInputSchema.extend({
  contained: containedSchema.optional(),
  rotated: z
    .union([
      z.object({ newVersionId: z.string(), rotatedAt: z.iso.datetime(), lookups: z.number().default(0) }),
      // It failed when its turn had come.
      z.object({ turnAt: z.iso.datetime() }).transform(() => undefined),
    ])
    .optional(),
  swept: containedSchema.optional(),
  verified: z
    .object({
      value: z.object({
        verifications: z.array(
          z.object({
            versionId: z.string(),
            identity: z.string(),
            outcome: z.enum(['accepted', 'rejected', 'unreachable', 'unverifiable']),
            note: z.string().optional(),
          }),
        ),
        unavailableVersions: z.array(z.string()),
        current: z.enum(['accepted', 'unverifiable']).default('accepted'),
        note: z.string().optional(),
        refusedAt: z.iso.datetime().optional(),
      }),
    })
    .transform(({ value }) => value)
    .optional(),
  /** Answer of the second person, where one was waited for. */
  approved: approvalOutcomeSchema.optional(),
  /** Failures that Step Functions caught, by stage. */
  approvalFailure: failureSchema.optional(),
  containFailure: failureSchema.optional(),
  rotateFailure: failureSchema.optional(),
  sweepFailure: failureSchema.optional(),
  verifyFailure: failureSchema.optional(),
});
export type FinalState = z.output<typeof finalStateSchema>;
