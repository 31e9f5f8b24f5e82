import * as z from 'zod';
import { quarantinePatternSchema } from '../../core/quarantine/principal.ts';

/** Settings of an environment about quarantines. */
export const quarantineFields = {
  /** Principals that may be cut off from everything in an emergency; see docs/quarantine.md. @default - none */
  quarantine: z
    .strictObject({
      /** Patterns of ARNs of roles and users, such as `arn:aws:iam::111122223333:role/app-*`. */
      principals: z.array(quarantinePatternSchema).max(20).default([]),
    })
    .prefault({}),
};
