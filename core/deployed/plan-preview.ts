import * as z from 'zod';
import { revocationModes } from '../events/catalogue.ts';
import { planPhases } from '../revocation/plan.ts';
import { selectionSchema } from '../revocation/selection.ts';

/** Question of the CLI to the function that shows plans. */
export const previewRequestSchema = z.strictObject({
  select: selectionSchema,
  mode: z.enum(revocationModes),
  chain: z.boolean(),
  versions: z.array(z.string()).min(1).optional(),
});
export type PreviewRequest = z.output<typeof previewRequestSchema>;

const names = z.array(z.string());

/** The plan as the function answers it, with its digest. */
export const planPreviewSchema = z.object({
  digest: z.string(),
  plan: z.object({
    mode: z.enum(revocationModes),
    secrets: z.array(
      z.object({
        name: z.string(),
        arn: z.string(),
        type: z.string(),
        owner: z.string(),
        consumers: names,
        target: z.string(),
        versions: names.optional(),
        because: names,
        level: z.number(),
        breaks: z.string(),
      }),
    ),
    tasks: z.array(z.object({ id: z.string(), task: z.string(), via: z.string() })),
    steps: z.array(
      z.object({
        phase: z.enum(planPhases),
        lanes: z.array(z.object({ target: z.string(), secrets: names })),
      }),
    ),
  }),
  /** Number of further secrets that the chain would take along, where it is not followed. */
  beyond: z.number(),
});
export type PlanPreview = z.output<typeof planPreviewSchema>;
