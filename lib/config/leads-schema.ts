import * as z from 'zod';

/** Thing that whoever holds a credential gets at. */
const leadSchema = z.xor(
  [
    /** A key of `secrets`. A revocation that follows the chain takes it along. */
    z.strictObject({ secret: z.string().min(1) }),
    /** Sentence that says what a person has to do, where Rekey cannot cut it off. */
    z.strictObject({ task: z.string().min(1).max(256) }),
  ],
  { error: 'must have exactly one of `secret` (a key of `secrets`) and `task` (what a person has to do)' },
);

/** Things that whoever holds a credential gets at, in the configuration. */
export const leadsSchema = z.array(leadSchema).max(40);

/** Workloads that read secrets, by the names that `consumers` of secrets have for them. */
export const consumersSchema = z.record(
  z.string().min(1).max(64),
  z.strictObject({
    /** Credentials that the workload issues: whoever holds what it reads gets at them. */
    leadsTo: leadsSchema.default([]),
  }),
);

export type Leads = z.output<typeof leadsSchema>;
