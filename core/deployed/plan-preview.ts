import * as z from 'zod';
import { revocationModes } from '../events/catalogue.ts';
import { revocationPlanSchema } from '../revocation/plan.ts';
import { selectionSchema } from '../revocation/selection.ts';

/** Question of the CLI to the function that shows plans. */
export const previewRequestSchema = z.strictObject({
  select: selectionSchema,
  mode: z.enum(revocationModes),
  chain: z.boolean(),
  versions: z.array(z.string()).min(1).optional(),
});
export type PreviewRequest = z.output<typeof previewRequestSchema>;

/** The plan as the function answers it, with its digest. */
export const planPreviewSchema = z.object({
  digest: z.string(),
  plan: revocationPlanSchema,
  /** Number of further secrets that the chain would take along, where it is not followed. */
  beyond: z.number(),
});
export type PlanPreview = z.output<typeof planPreviewSchema>;
