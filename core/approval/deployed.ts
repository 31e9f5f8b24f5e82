import * as z from 'zod';

/** The facts of a deployment's approvals, as one SSM parameter that the CLI reads. */
export const approvalFactsSchema = z.object({
  /** Modes of a revocation that need a second person. */
  revocation: z.array(z.string()),
  breakGlass: z.boolean(),
  /** Minutes that a second person has. */
  minutes: z.number(),
  onExpiry: z.string(),
  /** Names of those who may answer; empty for everybody whom a role lets. */
  approvers: z.array(z.string()),
  /** ARN of the function that shows requests, and notes who asks. */
  desk: z.string().min(1),
  /** ARN of the function that takes answers. */
  answers: z.string().min(1),
});
export type ApprovalFacts = z.output<typeof approvalFactsSchema>;
