import * as z from 'zod';
import { memberNameSchema } from '../revocation/selection.ts';

/** An environment elsewhere whose secrets a revocation of this one may be about. */
const memberSchema = z.strictObject({
  /** Name of its environment, there. */
  environment: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  account: z.string().regex(/^\d{12}$/),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  /** ARN of the role that the coordinator assumes there. */
  role: z.string().regex(/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/),
});

/** The members of an environment, by the names that its configuration gives them. */
export const membersSchema = z.record(memberNameSchema, memberSchema);

/** A member with its name. */
export interface Member extends z.output<typeof memberSchema> {
  readonly name: string;
}

/** Lists members by the order of their names. */
export const listMembers = (members: z.output<typeof membersSchema>): readonly Member[] =>
  Object.entries(members)
    .map(([name, member]) => ({ name, ...member }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
