import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import * as z from 'zod';
import { RoleMemberEnvironments } from '../../adapters/member-environments.ts';
import { S3PlanStore } from '../../adapters/plan-store.ts';
import { listMembers } from '../../core/deployed/members.ts';
import { previewRequestSchema } from '../../core/deployed/plan-preview.ts';
import { type MemberLoop, memberLoopSchema, planInputSchema } from '../../core/deployed/revocation-state.ts';
import { readEnvironment, revocationMembersEnvironmentSchema } from '../../core/deployed/variables.ts';
import type { MemberAnswer } from '../../core/revocation/members.ts';
import { askMembers, followMembers } from '../revocation/members.ts';
import { originOf } from './origin.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(revocationMembersEnvironmentSchema);
const members = listMembers(environment.REKEY_MEMBERS);
const plans = new S3PlanStore(new S3Client({}), environment.REKEY_PLAN_BUCKET);
/** Settings of short patience: a region that is away must not hold up the others. */
const quick = { maxAttempts: 2, requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 } };
const environments = new RoleMemberEnvironments(
  new STSClient(quick),
  `rekey-${environment.REKEY_ENVIRONMENT}-coordinator`,
  20_000,
);

const inputSchema = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('ask'),
    question: previewRequestSchema
      .pick({ select: true, mode: true, chain: true })
      .extend({ members: z.array(z.string()) }),
  }),
  z.object({
    action: z.literal('follow'),
    input: planInputSchema.extend({ loop: memberLoopSchema.optional() }),
  }),
]);

/** Reaches the environments elsewhere: asks for their parts of a plan, has them run, and looks how far they are. */
export const handler = standardHandler<unknown, readonly MemberAnswer[] | MemberLoop>(
  async (event, tools) => {
    const given = inputSchema.parse(event);
    if (given.action === 'ask') {
      const { members: names, ...question } = given.question;
      const chosen = members.filter(({ name }) => names.includes(name));
      return await askMembers({ ...question, members: chosen }, environments);
    }
    return await followMembers(given.input, {
      members,
      environments,
      plans,
      origin: originOf('rekey.coordinator', environment, tools),
      failed: (member, { code, message, retryable }) =>
        tools.logger.warn('member not reached', { member, code, reason: message, retryable }),
    });
  },
);
