import { approvalStore } from '../../adapters/approval-store.ts';
import { approvalDeskEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { type DeskAnswer, deskInputSchema, serve } from '../approval/desk.ts';
import { identification, parsed, type Reply, replies } from './approval.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(approvalDeskEnvironmentSchema);
const identify = identification(environment);
const store = approvalStore(environment.REKEY_APPROVAL_TABLE);

/** Shows requests for approval, and notes who asks for what needs one. */
export const handler = standardHandler<unknown, Reply<DeskAnswer>>(
  replies((event) =>
    serve(parsed(deskInputSchema, event), { ...identify, store, approvers: environment.REKEY_APPROVERS }),
  ),
);
