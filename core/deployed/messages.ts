import * as z from 'zod';

/** The schedule of a rotation function sends this to it. */
export const retireEventSchema = z.strictObject({
  /** Names or ARNs of the secrets whose previous credentials are to be retired when their time has come. */
  RetirePrevious: z.array(z.string().min(1)).min(1),
});
