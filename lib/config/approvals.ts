import * as z from 'zod';
import { personKey } from '../../core/approval/person.ts';
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
          /** Address that a link is mailed to, by which this person may answer, too. @default - with the CLI alone */
          email: z.email().max(254).optional(),
        }),
      )
      .refine((all) => Object.keys(all).length <= 50, { error: 'names more than 50 people' })
      .superRefine((all, context) => {
        for (const message of ambiguities(all)) context.addIssue({ code: 'custom', message });
      })
      .default({}),
    /** Address that links are mailed from, of an identity that Amazon SES has verified. @default - nobody is sent a link */
    mailFrom: z.email().max(254).optional(),
  })
  .refine(
    ({ mailFrom, approvers }) => mailFrom !== undefined || Object.keys(addressesOf(approvers)).length === 0,
    {
      error: 'is missing: the links of `approvers` with an address are mailed from it',
      path: ['mailFrom'],
    },
  )
  .refine(({ escalateAfterMinutes, minutes }) => escalateAfterMinutes < minutes, {
    error: 'must be less than `minutes`',
    path: ['escalateAfterMinutes'],
  })
  .prefault({});
export type ApprovalsConfiguration = z.output<typeof approvalsSchema>;

type Approvers = Readonly<Record<string, { readonly email?: string | undefined }>>;

/** Characters that addresses may take in the variables of a function, which has 4,096 for all. */
const longestAddresses = 2_500;

/** Picks the addresses of those who may answer by a link, by their names. */
export const addressesOf = (approvers: Approvers): Record<string, string> =>
  Object.fromEntries(
    Object.entries(approvers).flatMap(([name, { email }]) => (email === undefined ? [] : [[name, email]])),
  );

/** Finds people who may be one, and so many addresses that no function takes them. */
function ambiguities(approvers: Approvers): string[] {
  const owners = new Map<string, string>();
  const found: string[] = [];
  for (const [name, { email }] of Object.entries(approvers)) {
    for (const key of new Set([name, ...(email === undefined ? [] : [email])].map(personKey))) {
      const other = owners.get(key);
      if (other !== undefined) {
        found.push(
          `${name} and ${other} may be one person, by a name or an address; capital letters, and what stands behind @ or +, make no difference`,
        );
      }
      owners.set(key, name);
    }
  }
  const { length } = JSON.stringify(addressesOf(approvers));
  if (length > longestAddresses) {
    found.push(`the addresses take ${length} characters; the most is ${longestAddresses}`);
  }
  return found;
}

/** Lists the modes of revocations that need a second person. */
export const approvedModes = ({ revocation }: Pick<ApprovalsConfiguration, 'revocation'>) =>
  (['kill', 'replace'] as const).filter((mode) => revocation[mode] === 'second person');
