import { approvalWaitEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { wait, waitInputSchema } from '../approval/wait.ts';
import { parsed, settling } from './approval.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(approvalWaitEnvironmentSchema);
const settle = settling(environment);
const escalateAfterMinutes = environment.REKEY_APPROVAL_ESCALATE_MINUTES;
const limits = {
  minutes: environment.REKEY_APPROVAL_MINUTES,
  ...(escalateAfterMinutes !== undefined && { escalateAfterMinutes }),
  onExpiry: environment.REKEY_APPROVAL_ON_EXPIRY,
};

/** Waits for a second person, as a step of a workflow. */
export const handler = standardHandler<unknown, void>((event, tools) =>
  wait(parsed(waitInputSchema, event), limits, settle(tools)),
);
