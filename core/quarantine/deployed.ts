import * as z from 'zod';

/** The facts of a deployment's quarantines, as one SSM parameter that the CLI reads. */
export const quarantineFactsSchema = z.object({
  /** Patterns of the ARNs that may be quarantined. */
  principals: z.array(z.string().min(1)).min(1),
  /** Log group of the function, where the CLI finds why a request was refused. */
  logGroup: z.string().min(1),
});
export type QuarantineFacts = z.output<typeof quarantineFactsSchema>;
