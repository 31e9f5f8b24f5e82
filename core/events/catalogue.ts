import * as z from 'zod';
import { answerWays, approvalOperations, expiryRules } from '../approval/request.ts';
import { severities } from '../findings/codes.ts';
import { memberChoiceSchema, memberNameSchema, selectionSchema } from '../revocation/selection.ts';
import { strategies } from '../secret/secret.ts';
import { notificationSchemas } from './notification.ts';
import { quarantineSchemas } from './quarantine.ts';
import { signalSchemas } from './signal.ts';
import { trailSchemas } from './trail.ts';

/**
 * The catalogue: every event on the bus, one schema each. Additive changes keep `schemaVersion` (see `version.ts`).
 * No event ever holds a secret's value or anything derived from it.
 */

/** Metadata that every event has: who, when, where and because of what. */
const metadataSchema = z.object({
  /** UUIDv7; a fact that may be announced twice gets the same id both times (see `core/events/create.ts`). */
  id: z.uuid(),
  schemaVersion: z.int().min(1),
  time: z.iso.datetime(),
  environment: z.string().min(1).max(64),
  /**
   * The principal or function that did it, in the sender's own words. EventBridge attests the account alone, so a request, which
   * comes from outside, is recorded with it as `claimedActor`.
   */
  actor: z.string().min(1).max(512),
  /** Shared by everything that belongs to one rotation or one revocation. */
  correlationId: z.string().min(1).max(256),
  /** The id of the event that led to this one. */
  causationId: z.string().min(1).max(256).optional(),
});
export type Metadata = z.output<typeof metadataSchema>;

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

const errorSchema = z.object({ code: z.string(), message: z.string(), retryable: z.boolean() });

const rotated = {
  secretArn: z.string().min(1),
  secretName: z.string().min(1),
  secretType: z.string().min(1),
  strategy: z.enum(strategies),
  versionId: z.string().min(1),
};

const revoked = {
  /** `metadata.id` of the request. */
  requestId: z.string().min(1),
  secretArn: z.string().min(1),
  secretName: z.string().min(1),
  /** `metadata.id` of the request whose plan it belongs to, where that is about several secrets. */
  partOf: z.string().min(1).optional(),
};

/** Ends of the part that an environment elsewhere has in a revocation. */
const memberOutcomes = ['proven', 'open', 'rejected', 'none', 'unfinished', 'unreachable'] as const;

export const revocationModes = ['replace', 'kill'] as const;
export type RevocationMode = (typeof revocationModes)[number];

/** Request for a revocation: of one secret, or of all that a selection finds. */
export const revocationRequestSchema = z.strictObject({
  select: selectionSchema,
  /** True to take along what the selected secrets lead to: the users of an admin secret, what their consumers issue. */
  chain: z.boolean().optional(),
  /** Digest of the plan that was shown and agreed to. Another plan than that one is refused. @default - whatever is found */
  plan: digestSchema.optional(),
  /**
   * Environments elsewhere that it is about, too, by the names that the configuration gives them.
   * @default - the own environment alone
   */
  members: memberChoiceSchema.optional(),
  /** Digests of the members' plans that were shown and agreed to. @default - whatever is found there */
  memberPlans: z.record(memberNameSchema, digestSchema).optional(),
  /** `metadata.id` of the coordinator's request that it is a part of. A coordinator alone may set it. */
  partOf: z.uuid().optional(),
  /** `replace`: new credential first, then the old one dies. `kill`: the old one dies first. */
  mode: z.enum(revocationModes),
  /** Version ids that leaked, where one secret is named; by default all versions that Secrets Manager still has. */
  versions: z.array(z.string().min(1).max(64)).min(1).max(100).optional(),
  /**
   * Time at which a revocation that is tried again was first taken. Versions that came later did not leak, and `versions` are
   * those that were found then: some may be gone. @default - it is the first try
   */
  asOf: z.iso.datetime().optional(),
  reason: z.string().min(1).max(1024),
  incident: z.string().min(1).max(256).optional(),
  drill: z.boolean().default(false),
  /** True to go on at once where a second person would have to approve. It is recorded, and raises an alarm. */
  breakGlass: z.boolean().optional(),
});
export type RevocationRequest = z.output<typeof revocationRequestSchema>;

/** Result for one login at the target when a credential was contained. */
const containmentSchema = z.object({
  versionIds: z.array(z.string()),
  /** The identity at the target: a user name, a key id; never a secret. */
  identity: z.string(),
  /** True when the target now refuses new logins with this credential. */
  loginsRefused: z.boolean(),
  sessionsEnded: z.int().min(0),
  /** Reason why logins are not refused yet, or whatever else a reader should know. */
  note: z.string().optional(),
});

const verificationSchema = z.object({
  versionId: z.string(),
  identity: z.string(),
  outcome: z.enum(['accepted', 'rejected', 'unreachable', 'unverifiable']),
  /** Text on who accepts or refuses an `unverifiable` credential, since nothing that Rekey can reach does. */
  note: z.string().optional(),
});

/** Fields that a revocation has to show which went through. */
const replaced = {
  ...revoked,
  newVersionId: z.string(),
  containments: z.array(containmentSchema),
  verifications: z.array(verificationSchema),
  /** Versions that could not be tried: Secrets Manager has dropped them, or they lack a credential. */
  unavailableVersions: z.array(z.string()).optional(),
  requestedAt: z.iso.datetime(),
  completedAt: z.iso.datetime(),
};

/** Time up to which versions leaked where none are named, by Rekey's clock. Of one that is tried again it is that of the first. */
const takenAtSchema = z.iso.datetime().optional();

/** Fields of a task that a revocation leaves to a person. */
const task = {
  /** `metadata.id` of the request. */
  requestId: z.string().min(1),
  taskId: z.string().min(1).max(64),
  /** Secret or consumer that leads to it. */
  via: z.string().min(1),
};

/** Fields that say which environment elsewhere a part of a plan is of. */
const member = {
  member: z.string().min(1),
  environment: z.string().min(1).max(64),
  account: z.string().min(1),
  region: z.string().min(1),
};

/** Fields of what is recorded on the life of a secret. */
const cared = { secretArn: z.string().min(1), secretName: z.string().min(1) };

/** Fields of a reminder. */
const dated = {
  owner: z.string().min(1),
  date: z.iso.date(),
  /** Days until that date; negative when it has passed. */
  daysLeft: z.int(),
};

/** Fields of every event on an operation that waits for a second person. */
const awaited = {
  /** Id of the request that waits. */
  requestId: z.string().min(1),
  operation: z.enum(approvalOperations),
  /** Name of what the operation is about: a secret. */
  subject: z.string().min(1),
  /** Deed that was asked for, `replace` for example. */
  act: z.string().min(1),
  /** ARN of the person who asked, as STS answered. */
  author: z.string().min(1),
};

const awaiting = {
  ...awaited,
  reason: z.string().min(1).max(1024),
  /** Time at which nobody having answered is told to more people. */
  escalatesAt: z.iso.datetime().optional(),
  expiresAt: z.iso.datetime(),
  /** End of the time: the operation is refused, or goes on without an answer. */
  onExpiry: z.enum(expiryRules),
};

const answered = {
  ...awaited,
  /** ARN of the person who answered by the CLI; name of the one whose link was used. */
  approver: z.string().min(1),
  way: z.enum(answerWays),
  answeredAt: z.iso.datetime(),
  reason: z.string().min(1).max(1024).optional(),
};

const dataSchemas = {
  'Secret Rotation Started': z.object({ ...rotated, previousVersionId: z.string().optional() }),
  'Secret Rotation Succeeded': z.object({
    ...rotated,
    previousVersionId: z.string().optional(),
    /** From the start of the rotation to the move of AWSCURRENT, where the start is known. */
    durationMs: z.number().min(0).optional(),
  }),
  'Secret Rotation Failed': z.object({ ...rotated, step: z.string(), error: errorSchema }),
  'Secret Rotation Abandoned': z.object({
    ...rotated,
    /** True where the rotation may still have been under way. */
    forced: z.boolean(),
  }),
  'Secret Rotation Paused': z.object({
    secretArn: z.string().min(1),
    secretName: z.string().min(1),
    until: z.iso.datetime(),
    reason: z.string().min(1).max(1024),
  }),
  'Secret Rotation Resumed': z.object({
    secretArn: z.string().min(1),
    secretName: z.string().min(1),
    reason: z.string().min(1).max(1024).optional(),
  }),
  'Rotation Function Braked': z.object({
    functionName: z.string().min(1),
    /** The secrets that failed in a row, by name and the suffix of their ARNs. */
    failedSecrets: z.array(z.string()),
  }),
  'Rotation Function Released': z.object({
    functionName: z.string().min(1),
    reason: z.string().min(1).max(1024),
  }),
  'Credential Retirement Started': z.object({
    ...rotated,
    /** The version that replaced it. */
    currentVersionId: z.string().min(1),
    /** The identity at the target: a user name, a key id; never a secret. */
    identity: z.string(),
    act: z.enum(['disable', 'remove']),
  }),
  'Credential Retired': z.object({
    ...rotated,
    /** The version that replaced it. */
    currentVersionId: z.string().min(1),
    /** The identity at the target: a user name, a key id; never a secret. */
    identity: z.string(),
    done: z.enum(['disabled', 'removed']),
    note: z.string().optional(),
  }),
  'Finding Raised': z.object({
    secretArn: z.string(),
    code: z.string(),
    severity: z.enum(severities),
    message: z.string(),
  }),
  'Secret Registered': z.object({
    ...cared,
    owner: z.string().min(1),
    /** Type of the secret; `manual` where a person replaces it. */
    secretType: z.string().min(1),
    purpose: z.string().optional(),
    expires: z.iso.date().optional(),
  }),
  'Secret Ownership Transferred': z.object({ ...cared, from: z.string(), to: z.string().min(1) }),
  'Secret Expiry Near': z.object({ ...cared, ...dated }),
  'Secret Replacement Due': z.object({ ...cared, ...dated }),
  'Secret Expired': z.object({
    ...cared,
    owner: z.string().min(1),
    /** Last day on which it was to work. */
    expires: z.iso.date(),
    /** True where the target was seen to refuse it. Otherwise the note is a task for a person. */
    ended: z.boolean(),
    note: z.string().optional(),
  }),
  'Secret Expiry Extended': z.object({
    ...cared,
    owner: z.string().min(1),
    /** The new last day; absent where it expires no more. */
    expires: z.iso.date().optional(),
  }),
  'Secret Revocation Requested': revocationRequestSchema,
  'Secret Revocation Rejected': z.object({
    requestId: z.string(),
    /** Source of the request, as the bus reports it. */
    requestSource: z.string(),
    error: errorSchema,
  }),
  'Secret Revocation Started': z.object({
    ...revoked,
    mode: z.enum(revocationModes),
    versions: z.array(z.string()),
    reason: z.string(),
    incident: z.string().optional(),
    drill: z.boolean(),
    requestedAt: z.iso.datetime(),
    takenAt: takenAtSchema,
  }),
  'Credential Contained': z.object({ ...revoked, containments: z.array(containmentSchema) }),
  'Secret Revocation Succeeded': z.object({
    ...replaced,
    /** Time at which the target was first seen to refuse every revoked credential. */
    refusedAt: z.iso.datetime(),
  }),
  'Secret Revocation Unproven': z.object({
    ...replaced,
    /** Answer to the new credential: accepted, or it could not be tried. It was not refused. */
    current: z.enum(['accepted', 'unverifiable']),
    /** Task for a person now: it names who must refuse the leaked credential. */
    note: z.string().min(1),
    /** Workloads that read the secret, as its definition names them. */
    consumers: z.array(z.string()),
    /** Team or person that answers for the secret. */
    owner: z.string().optional(),
  }),
  'Secret Revocation Failed': z.object({ ...revoked, stage: z.string(), error: errorSchema }),
  'Revocation Planned': z.object({
    /** `metadata.id` of the request. */
    requestId: z.string().min(1),
    /** Selection in words, such as `the secrets of team-orders`. */
    selection: z.string().min(1),
    mode: z.enum(revocationModes),
    /** Number of secrets in the plan. */
    secrets: z.int().min(0),
    /** Number of tasks that are left to people. */
    tasks: z.int().min(0),
    /** SHA-256 of the plan. */
    planDigest: z.string(),
    /** Parts of environments elsewhere; `secrets` above are those of the own one. */
    members: z
      .array(
        z.object({
          ...member,
          secrets: z.int().min(0),
          /** Code of the error where it could not be asked. */
          unreachable: z.string().optional(),
        }),
      )
      .optional(),
    reason: z.string(),
    incident: z.string().optional(),
    drill: z.boolean(),
    requestedAt: z.iso.datetime(),
    takenAt: takenAtSchema,
  }),
  'Revocation Task Opened': z.object({
    ...task,
    /** Sentence that says what a person has to do. */ task: z.string().min(1),
  }),
  'Revocation Task Done': z.object({
    requestId: task.requestId,
    taskId: task.taskId,
    /** Text on what was done. */
    note: z.string().min(1).max(1024),
    /** Person who says so, in its own words. */
    claimedActor: z.string().max(512),
  }),
  'Revocation Member Concluded': z.object({
    requestId: z.string().min(1),
    ...member,
    /** `metadata.id` of the request that was sent there, by which its own log knows it. */
    memberRequestId: z.string().min(1),
    /** End of its part. `none`: it has no such secret. `unreachable`: nothing was heard of it. */
    outcome: z.enum(memberOutcomes),
    succeeded: z.int().min(0),
    unproven: z.int().min(0),
    failed: z.int().min(0),
    openTasks: z.int().min(0),
    /** Secrets of its part, those without proof first, 200 at the most. */
    secrets: z.array(
      z.object({
        secretName: z.string(),
        outcome: z.enum(['succeeded', 'unproven', 'failed']),
        refusedAt: z.iso.datetime().optional(),
        error: z.string().optional(),
      }),
    ),
    error: errorSchema.optional(),
  }),
  'Revocation Concluded': z.object({
    requestId: z.string().min(1),
    /** `proven`: every credential was seen to be refused, and no task is open. */
    outcome: z.enum(['proven', 'open']),
    succeeded: z.int().min(0),
    unproven: z.int().min(0),
    failed: z.int().min(0),
    openTasks: z.int().min(0),
    requestedAt: z.iso.datetime(),
    /** Time at which the last of the credentials was seen to be refused; absent where one was not. */
    containedAt: z.iso.datetime().optional(),
    completedAt: z.iso.datetime(),
  }),
  'Fingerprint Looked Up': z.object({
    /** Number of hashes that were looked up. They themselves are in no record. */
    candidates: z.int().min(1),
    /** Versions that held one of the values, 50 at most. */
    matches: z.array(z.object({ secretArn: z.string(), secretName: z.string(), versionId: z.string() })),
    /** Number of all matches. */
    found: z.int().min(0),
    /** Caller in its own words; CloudTrail attests who invoked the function. */
    claimedActor: z.string().max(512).optional(),
  }),
  ...notificationSchemas,
  ...signalSchemas,
  ...trailSchemas,
  ...quarantineSchemas,
  'Approval Requested': z.object(awaiting),
  'Approval Escalated': z.object(awaiting),
  'Approval Granted': z.object(answered),
  'Approval Refused': z.object(answered),
  'Approval Expired': z.object({
    ...awaited,
    onExpiry: z.enum(expiryRules),
    expiresAt: z.iso.datetime(),
  }),
  'Approval Bypassed': z.object({
    ...awaited,
    /** True where `author` is who STS answered, false where it is what the sender says. */
    authorProven: z.boolean(),
    reason: z.string().min(1).max(1024),
  }),
} as const;

export type DetailType = keyof typeof dataSchemas;
export const detailTypes = Object.keys(dataSchemas) as readonly DetailType[];
export type EventData<T extends DetailType> = z.output<(typeof dataSchemas)[T]>;
export type Containment = z.output<typeof containmentSchema>;
export type Verification = z.output<typeof verificationSchema>;

/** One event as it travels: EventBridge's `source` and `detail-type`, and our envelope in `detail`. */
export interface RekeyEvent<T extends DetailType> {
  readonly source: `rekey.${string}`;
  readonly detailType: T;
  readonly detail: { readonly metadata: Metadata; readonly data: EventData<T> };
}
export type AnyEvent = { [T in DetailType]: RekeyEvent<T> }[DetailType];

/** Gives the schema of an event's `detail`, by its detail type. */
export function detailSchema<T extends DetailType>(detailType: T) {
  return z.object({ metadata: metadataSchema, data: dataSchemas[detailType] });
}

export function isDetailType(value: string): value is DetailType {
  return Object.hasOwn(dataSchemas, value);
}
