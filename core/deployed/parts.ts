import * as z from 'zod';

/** The functions of an environment's parts besides those of its secrets, as one SSM parameter that `rekey doctor` reads. */
export const partsSchema = z.record(
  z.string(),
  z.object({
    /** ARNs of the functions. */
    functions: z.array(z.string().min(1)),
    /** URL of the queue of what they could not handle. @default - they have none */
    deadLetters: z.string().min(1).optional(),
  }),
);
export type Parts = z.output<typeof partsSchema>;
