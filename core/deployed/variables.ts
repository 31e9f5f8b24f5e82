import * as z from 'zod';
import { RekeyError } from '../errors/rekey-error.ts';
import { strategies } from '../secret/secret.ts';
import { membersSchema } from './members.ts';
import { rotationRates } from './pace.ts';

/**
 * Environment variables of the functions. Constructs are typed by these schemas, so a variable that a function needs and nobody
 * sets fails at compile time. A wrong value fails at synth where it is known there, and else at the function's first start.
 */
/** Variables of every function that records. */
export const common = {
  REKEY_ENVIRONMENT: z.string().min(1),
  REKEY_EVENT_BUS: z.string().min(1),
  /** Queue for records that the bus does not take, of what is already done or an emergency. */
  REKEY_AUDIT_QUEUE_URL: z.url(),
};

const target = {
  ...common,
  REKEY_STRATEGY: z.enum(strategies),
  /** File name, beside the bundle, of PEM certificates that replace the public authorities. */
  REKEY_CA_FILE: z.string().min(1).optional(),
  /** `true` permits plaintext where the secret leaves `ssl` out and the server offers no TLS. */
  REKEY_ALLOW_PLAINTEXT: z.stringbool().default(false),
  /** `true` permits HTTP APIs on private, loopback and link-local addresses. */
  REKEY_ALLOW_PRIVATE_ADDRESSES: z.stringbool().default(false),
};

/** Rotation functions; the password rules of `core/secret/password.ts` are read from the same environment. */
export const rotationEnvironmentSchema = z.object({
  ...target,
  /** Hours for which the credential before the current one goes on working, and from disabling to removing it. */
  REKEY_OVERLAP_HOURS: z.coerce.number().int().min(0).default(24),
  REKEY_GRACE_HOURS: z.coerce.number().int().min(0).default(24),
  /** Last segment of the SSM path below which the state of the function's brake stands. A function without it has no brake. */
  REKEY_BRAKE: z.string().min(1).optional(),
  /** Number of different secrets, failing in a row, that engages the brake. */
  REKEY_BRAKE_AFTER: z.coerce.number().int().min(2).max(10).optional(),
  /** Text that changes whenever the function's code or configuration changes. */
  REKEY_CODE: z.string().min(1).optional(),
});
export type RotationEnvironment = z.output<typeof rotationEnvironmentSchema>;

/** Containment functions. */
export const containmentEnvironmentSchema = z.object({
  ...target,
  /** Name of the function that ends sessions, where the type has one of its own for that. */
  REKEY_SESSION_CUTOFF_FUNCTION: z.string().min(1).optional(),
});

/** The functions that end sessions. */
export const sessionCutoffEnvironmentSchema = z.object({ REKEY_ENVIRONMENT: z.string().min(1) });

const list = z.string().transform((text) => text.split(',').filter((item) => item !== ''));

/** The intake of the revocation workflow. */
export const revocationIntakeEnvironmentSchema = z.object({
  ...common,
  /** Workflow of one secret. */
  REKEY_REVOCATION_WORKFLOW_ARN: z.string().min(1),
  /** Workflow that plans, for requests that may be about several secrets. */
  REKEY_PLAN_WORKFLOW_ARN: z.string().min(1),
  /** Event sources that may ask for a revocation, separated by commas. */
  REKEY_REVOCATION_SOURCES: list,
  /** Accounts besides the own one that may ask, separated by commas. */
  REKEY_REVOCATION_ACCOUNTS: list,
  /** Age in hours above which requests are refused. */
  REKEY_REVOCATION_MAXIMUM_AGE_HOURS: z.coerce.number().int().min(1).max(168).default(24),
  /** Table of the requests that wait for a second person. Without it, none does. */
  REKEY_APPROVAL_TABLE: z.string().min(1).optional(),
  /** Modes that need a second person, separated by commas. */
  REKEY_APPROVAL_MODES: list.pipe(z.array(z.enum(['replace', 'kill']))).default([]),
  /** `true` lets a request go on without the second person that it needs. */
  REKEY_APPROVAL_BREAK_GLASS: z.stringbool().default(true),
});

const approval = {
  REKEY_ENVIRONMENT: z.string().min(1),
  /** Account that the functions run in: nobody of another one asks or answers. */
  REKEY_ACCOUNT: z.string().regex(/^\d{12}$/),
  REKEY_APPROVAL_TABLE: z.string().min(1),
};
const addresses = z.record(z.string(), z.string());
const answering = {
  ...common,
  ...approval,
  /** Names of those who may answer, separated by commas; empty for everybody whom a role lets. */
  REKEY_APPROVERS: list,
};

/** The function that shows requests for approval, and notes who asks. */
export const approvalDeskEnvironmentSchema = z.object({ ...approval, REKEY_APPROVERS: list });

/** The function that takes answers. */
export const approvalAnswerEnvironmentSchema = z.object(answering);

/** The function behind the links that approvers are sent. */
export const approvalPageEnvironmentSchema = z.object({
  ...answering,
  /** ARN of the key of links. */
  REKEY_APPROVAL_LINK_KEY: z.string().min(1),
});

/** The step of a workflow that waits for a second person. */
export const approvalWaitEnvironmentSchema = z.object({
  ...common,
  ...approval,
  /** Minutes that a second person has. */
  REKEY_APPROVAL_MINUTES: z.coerce.number().int().min(5).max(1440),
  /** Minutes after which more people are told. @default - no more are told */
  REKEY_APPROVAL_ESCALATE_MINUTES: z.coerce.number().int().min(1).max(1440).optional(),
  REKEY_APPROVAL_ON_EXPIRY: z.enum(['refuse', 'proceed']),
  /** Address that links are mailed from. Without it, nobody is sent one. */
  REKEY_APPROVAL_MAIL_FROM: z.string().min(1).optional(),
  /** Addresses by the names of those who may answer, as JSON. */
  REKEY_APPROVAL_ADDRESSES: z
    .string()
    .default('{}')
    .transform((text) => addresses.parse(JSON.parse(text))),
  /** Address of the page behind links. */
  REKEY_APPROVAL_PAGE: z.string().default(''),
  /** ARN of the key of links. */
  REKEY_APPROVAL_LINK_KEY: z.string().default(''),
});

/** The function that quarantines principals. */
export const quarantineEnvironmentSchema = z.object({
  ...common,
  /** Table of the quarantines. */
  REKEY_QUARANTINE_TABLE: z.string().min(1),
  /** Patterns of the ARNs that may be quarantined, separated by commas. */
  REKEY_QUARANTINE_PRINCIPALS: list.pipe(z.array(z.string()).min(1)),
  /** Account that the function runs in. */
  REKEY_ACCOUNT: z.string().regex(/^\d{12}$/),
});

/** Variables of the function that starts first rotations. */
export const firstRotationEnvironmentSchema = z.object({ REKEY_ENVIRONMENT: z.string().min(1) });

/** The step of the revocation workflow that rotates. */
export const revocationRotateEnvironmentSchema = z.object({
  REKEY_ENVIRONMENT: z.string().min(1),
  /** Table of the bucket that rotations take their starts from. */
  REKEY_PACE_TABLE: z.string().min(1),
  /** Rotations that revocations start in a second. @default - as many as AWS's quotas allow */
  REKEY_ROTATIONS_PER_SECOND: z.coerce
    .number()
    .int()
    .min(rotationRates.least)
    .max(rotationRates.most)
    .optional(),
});

/** The step of the revocation workflow that reports. */
export const revocationReportEnvironmentSchema = z.object({
  ...common,
  /** Table of the outcomes of plans. */
  REKEY_OUTCOME_TABLE: z.string().min(1),
});

const selection = {
  /** Table of what a trail told. Without it, nobody knows who really read. */
  REKEY_TRAIL_TABLE: z.string().min(1).optional(),
};

/** Environments elsewhere, as JSON by their names. */
const members = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' });
      return z.NEVER;
    }
  })
  .pipe(membersSchema);

/** Variables of what plans for environments elsewhere, too. Without them, a plan is of the own environment. */
const elsewhere = {
  REKEY_MEMBERS: members.optional(),
  /** Name of the function that reaches them. */
  REKEY_MEMBERS_FUNCTION: z.string().min(1).optional(),
};

/** The step that plans a revocation of several secrets, and announces the plan. */
export const revocationPlanEnvironmentSchema = z.object({
  ...common,
  ...selection,
  /** Bucket of the plans. */
  REKEY_PLAN_BUCKET: z.string().min(1),
  ...elsewhere,
});

/** The function that shows plans. */
export const revocationPreviewEnvironmentSchema = z.object({
  REKEY_ENVIRONMENT: z.string().min(1),
  ...selection,
  ...elsewhere,
});

/** The function that reaches the environments elsewhere. */
export const revocationMembersEnvironmentSchema = z.object({
  REKEY_ENVIRONMENT: z.string().min(1),
  REKEY_PLAN_BUCKET: z.string().min(1),
  REKEY_MEMBERS: members,
});

/** The step that concludes a revocation of several secrets. */
export const revocationConclusionEnvironmentSchema = z.object({
  ...common,
  REKEY_PLAN_BUCKET: z.string().min(1),
  REKEY_OUTCOME_TABLE: z.string().min(1),
});

/** Variables of the function that records foreign rotations. */
export const observationEnvironmentSchema = z.object(common);

/** Variables of the function that looks after the life of secrets. */
export const lifecycleEnvironmentSchema = z.object({
  ...common,
  /** Numbers of days before a date at which its owner is reminded, separated by commas. */
  REKEY_REMIND_DAYS_BEFORE: list.pipe(
    z
      .array(z.string())
      .min(1)
      .transform((days) => days.map(Number))
      .pipe(z.array(z.int().min(0).max(366))),
  ),
});

/** The function that fills the index of fingerprints. */
export const fingerprintIndexEnvironmentSchema = z.object({
  REKEY_ENVIRONMENT: z.string().min(1),
  /** Table of the index. */
  REKEY_FINGERPRINT_TABLE: z.string().min(1),
  /** ARN of the HMAC key. */
  REKEY_FINGERPRINT_KEY: z.string().min(1),
});

/** The function that looks fingerprints up. */
export const fingerprintLookupEnvironmentSchema = z.object({
  ...common,
  REKEY_FINGERPRINT_TABLE: z.string().min(1),
  REKEY_FINGERPRINT_KEY: z.string().min(1),
  /** Table that counts lookups. */
  REKEY_FINGERPRINT_COUNTS: z.string().min(1),
});

/** The notifier. */
export const notifierEnvironmentSchema = z.object({
  REKEY_ENVIRONMENT: z.string().min(1),
  REKEY_EVENT_BUS: z.string().min(1),
  /** Table of what was told, what is held back, and which incidents are open. */
  REKEY_NOTIFICATION_TABLE: z.string().min(1),
  REKEY_NOTIFICATION_QUEUE_URL: z.url(),
  /** SSM parameter of the settings; see `core/notification/settings.ts`. */
  REKEY_NOTIFICATION_SETTINGS: z.string().min(1),
});

/** The function that takes files of a trail, and says who asked for what. */
export const attributionEnvironmentSchema = z.object({
  ...common,
  /** ARN of the bus of the environment. */
  REKEY_EVENT_BUS_ARN: z.string().min(1),
  /** Bucket of the trail. */
  REKEY_TRAIL_BUCKET: z.string().min(1),
  /** Beginning of the keys of the account's files in this region. */
  REKEY_TRAIL_PREFIX: z.string().min(1),
  REKEY_TRAIL_TABLE: z.string().min(1),
});

/** The audit writer. */
export const auditWriterEnvironmentSchema = z.object({
  REKEY_ENVIRONMENT: z.string().min(1),
  REKEY_AUDIT_BUCKET: z.string().min(1),
});

/** Variables that a construct must set: the input side of a schema, as strings. */
export type FunctionEnvironment<Schema extends z.ZodType> = {
  [Key in keyof z.input<Schema>]: string;
};

/** Parses `process.env`; the error names the variable and never prints values. */
export function readEnvironment<Schema extends z.ZodType>(
  schema: Schema,
  environment = process.env,
): z.output<Schema> {
  const parsed = schema.safeParse(environment);
  if (!parsed.success) {
    const names = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw new RekeyError(
      'FunctionMisconfigured',
      `environment variables missing or invalid: ${names}; the function was changed outside the deployment: deploy again`,
    );
  }
  return parsed.data;
}
