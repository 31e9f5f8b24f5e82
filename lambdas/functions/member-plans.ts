import { LambdaClient } from '@aws-sdk/client-lambda';
import type * as z from 'zod';
import { LambdaMemberPlans } from '../../adapters/member-plans.ts';
import { listMembers, type membersSchema } from '../../core/deployed/members.ts';
import type { MemberPlans } from '../../core/revocation/ports.ts';

/** Opens the way to the environments elsewhere; undefined where the configuration names none. */
export const memberPlans = ({
  REKEY_MEMBERS,
  REKEY_MEMBERS_FUNCTION,
}: {
  readonly REKEY_MEMBERS?: z.output<typeof membersSchema> | undefined;
  readonly REKEY_MEMBERS_FUNCTION?: string | undefined;
}): MemberPlans | undefined =>
  REKEY_MEMBERS === undefined || REKEY_MEMBERS_FUNCTION === undefined
    ? undefined
    : new LambdaMemberPlans(new LambdaClient({}), REKEY_MEMBERS_FUNCTION, listMembers(REKEY_MEMBERS));
