import * as z from 'zod';
import { expiryRules } from '../../core/approval/request.ts';

const need = z.enum(['never', 'second person']).default('never');

/** Reads what needs the approval of a second person, and how long that is waited for. */
export const approvalsSchema = z
  .strictObject({
    /** Revocations by their mode. `kill` is for emergencies: each minute that it waits, the leak works. */
    revocation: z.strictObject({ kill: need, replace: need }).prefault({}),
    /** Minutes that a second person has. */
    minutes: z.int().min(5).max(1440).default(60),
    /** Minutes after which more people are told that nobody answers. 0: nobody is. */
    escalateAfterMinutes: z.int().min(0).max(1440).default(15),
    /** End of the time: the operation is refused, or goes on without an answer. */
    onExpiry: z.enum(expiryRules).default('refuse'),
    /** Lets a responder go on at once with `rekey revoke --break-glass`, which raises an alarm. */
    breakGlass: z.boolean().default(true),
    /**
     * People who may answer, by the names of their sessions. Whoever may choose the name of a session may be anybody: have the trust
     * of the roles, or Identity Center, set it.
     * @default - everybody who may take a role that may answer
     */
    approvers: z
      .record(
        z
          .string()
          .regex(/^[\w+=.@-]{2,64}$/, 'must be the name of a session: 2 to 64 of A-Z a-z 0-9 _ + = . @ -'),
        z.strictObject({
          /** Address of a link by which this person may answer, too. Rekey signs and serves links; what sends them is yours. @default - no link; with the CLI alone */
          email: z.email().max(254).optional(),
        }),
      )
      .refine((all) => Object.keys(all).length <= 50, { error: 'names more than 50 people' })
      .refine(
        (all) => new Set(Object.keys(all).map((name) => name.toLowerCase())).size === Object.keys(all).length,
        { error: 'names a person twice; capital letters make no difference' },
      )
      .default({}),
  })
  .refine(({ escalateAfterMinutes, minutes }) => escalateAfterMinutes < minutes, {
    error: 'must be less than `minutes`',
    path: ['escalateAfterMinutes'],
  })
  .prefault({});
export type ApprovalsConfiguration = z.output<typeof approvalsSchema>;

/** Lists the modes of revocations that need a second person. */
export const approvedModes = ({ revocation }: Pick<ApprovalsConfiguration, 'revocation'>) =>
  (['kill', 'replace'] as const).filter((mode) => revocation[mode] === 'second person');
