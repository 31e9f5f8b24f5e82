import * as z from 'zod';
import { keySchema, secretIdSchema } from './expressions.ts';
import { daySchema } from './policy-schema.ts';

/** A secret that a person replaces, since nothing rotates it. */
const manualSecretSchema = z.strictObject({
  /** Name or full ARN of the secret. */
  adopt: secretIdSchema,
  /** Team or person that is reminded. */
  owner: z.string().min(1).max(128),
  /** Sentence that says what the secret is for. */
  purpose: z.string().min(1).max(256),
  /** Workloads that read the secret. */
  consumers: z.array(z.string().min(1).max(64)).max(40).default([]),
  /** Most days between two replacements. */
  replaceEveryDays: z.int().min(1).max(3650),
  /** Last day on which it is needed. @default - it is needed for good */
  expires: daySchema.optional(),
});

/** Settings of an environment about the life of its secrets. */
export const lifecycleFields = {
  /**
   * Records new secrets and new owners, and reminds owners of dates. @default - only where a secret expires or is replaced by hand
   */
  lifecycle: z
    .strictObject({
      /** Numbers of days before a date at which the owner is reminded. */
      remindDaysBefore: z.array(z.int().min(0).max(366)).min(1).max(10).default([30, 7, 1]),
    })
    .optional(),
  /** Secrets that nothing rotates: their owners are reminded to replace them. */
  manualSecrets: z
    .record(keySchema(64), manualSecretSchema)
    .refine((all) => Object.keys(all).length <= 100, { error: 'may name at most 100 secrets' })
    .default({}),
};
