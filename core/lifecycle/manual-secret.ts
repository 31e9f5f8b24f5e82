import * as z from 'zod';

/**
 * Facts on a secret that a person replaces, since nothing rotates it. The CDK app writes them as an SSM parameter; the function of the
 * lifecycle reads them.
 */
export const manualSecretSchema = z.object({
  name: z.string().min(1),
  arn: z.string().min(1),
  owner: z.string().min(1),
  purpose: z.string().min(1),
  consumers: z.array(z.string()),
  /** Most days between two replacements. */
  replaceEveryDays: z.int().min(1),
  /** Last day on which it is needed, as `2027-03-31`. */
  expires: z.string().optional(),
});
export type ManualSecret = z.output<typeof manualSecretSchema>;
