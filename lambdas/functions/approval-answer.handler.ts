import type { ApprovalSummary } from '../../core/approval/store.ts';
import { approvalAnswerEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { answer, answerInputSchema } from '../approval/answer.ts';
import { summaryOf } from '../approval/desk.ts';
import { identification, parsed, type Reply, replies, settling } from './approval.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(approvalAnswerEnvironmentSchema);
const identify = identification(environment);
const settle = settling(environment);
const approvers = environment.REKEY_APPROVERS;

/** Takes the answer of a second person. */
export const handler = standardHandler<unknown, Reply<ApprovalSummary>>(
  replies(async (event, tools) => {
    const input = parsed(answerInputSchema, event);
    const record = await answer(input, { ...identify, ...settle(tools), approvers });
    tools.logger.info('approval answered', { requestId: input.requestId, outcome: input.outcome });
    return summaryOf(record, approvers);
  }),
);
