import * as z from 'zod';

/** The places of a member that its coordinator uses, as one parameter names them. */
export const coordinationSchema = z.object({
  /** Name of the function that shows plans. */
  previewFunction: z.string().min(1),
  /** Name of the bus that takes requests. */
  bus: z.string().min(1),
  /** ARN of the workflow that runs plans. */
  planWorkflow: z.string().min(1),
  /** Name of the table with what came of the secrets of plans. */
  table: z.string().min(1),
  /** Name of the log group in which the intake says what it rejected. */
  intakeLogGroup: z.string().min(1),
});
export type Coordination = z.output<typeof coordinationSchema>;
