import * as z from 'zod';

/** Message that a rotation function gets from its schedule. */
export const retireEventSchema = z.strictObject({
  /** Names or ARNs of the secrets whose previous credentials are to be retired when their time has come. */
  RetirePrevious: z.array(z.string().min(1)).min(1),
});
