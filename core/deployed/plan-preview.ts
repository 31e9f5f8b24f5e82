import * as z from 'zod';
import { revocationModes } from '../events/catalogue.ts';
import { revocationPlanSchema } from '../revocation/plan.ts';
import { memberChoiceSchema, selectionSchema } from '../revocation/selection.ts';

/** Question of the CLI to the function that shows plans. */
export const previewRequestSchema = z.strictObject({
  select: selectionSchema,
  mode: z.enum(revocationModes),
  chain: z.boolean(),
  versions: z.array(z.string()).min(1).optional(),
  /** Environments elsewhere that are asked, too. */
  members: memberChoiceSchema.optional(),
  /** True where a coordinator asks. A name that is unknown here may be of another environment, and is no task then. */
  part: z.boolean().optional(),
});
export type PreviewRequest = z.output<typeof previewRequestSchema>;

/** The plan as the function answers it, with its digest. */
export const planPreviewSchema = z.object({
  /** Digest of the own environment's part. */
  digest: z.string(),
  plan: revocationPlanSchema,
  /** Number of further secrets that the chain would take along, where it is not followed. */
  beyond: z.number(),
  /** Names that are unknown here, where a coordinator asked. */
  unknown: z.array(z.string()).optional(),
});
export type PlanPreview = z.output<typeof planPreviewSchema>;
