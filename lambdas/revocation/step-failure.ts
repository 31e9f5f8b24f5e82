import * as z from 'zod';
import type { ApprovalOutcome } from '../../core/approval/request.ts';
import { isErrorCode } from '../../core/errors/codes.ts';
import { type ErrorSummary, errorSummary } from '../../core/errors/rekey-error.ts';

/** An error that Step Functions caught. */
export const stepFailureSchema = z.object({ Error: z.string(), Cause: z.string().optional() });
export type StepFailure = z.output<typeof stepFailureSchema>;

/** The part of a workflow's state that tells of the second person. */
interface Awaited {
  readonly requestId: string;
  readonly approval?: unknown;
  readonly approved?: ApprovalOutcome | undefined;
  readonly approvalFailure?: StepFailure | undefined;
}

/** Says why a second person's approval is missing; undefined where it is there, or was not needed. */
export function withoutApproval({
  approval,
  approved,
  approvalFailure,
  requestId,
}: Awaited): ErrorSummary | undefined {
  if (approval === undefined || approved?.proceeds === true) return undefined;
  if (approved === undefined) return stepFailure(approvalFailure);
  const { outcome, by, reason } = approved;
  return outcome === 'refused'
    ? errorSummary(
        'ApprovalRefused',
        `${by ?? 'a second person'} refused ${requestId}${reason === undefined ? '' : `: ${reason}`}; the credential still works`,
      )
    : errorSummary(
        'ApprovalExpired',
        `nobody approved ${requestId} in time; the credential still works: ask again, or in an emergency with --break-glass`,
      );
}

const lambdaErrorSchema = z.object({ errorMessage: z.string() });

/**
 * Reads an error that Step Functions caught. Rekey's functions name their errors by their codes and keep values out of their
 * messages. Every other name is of Lambda, Step Functions or the runtime, which ended the function; their text is left out.
 */
export function stepFailure(failure: StepFailure | undefined): ErrorSummary {
  if (failure === undefined) {
    return errorSummary('Unexpected', 'the step left no result; see the execution in Step Functions');
  }
  const { Error: name, Cause: cause } = failure;
  if (!isErrorCode(name)) {
    return errorSummary('FunctionFailed', `the function of this step was ended with ${name}; see its log`);
  }
  return errorSummary(name, messageIn(cause) ?? `the step ended with ${name}; see its log`);
}

function messageIn(cause: string | undefined): string | undefined {
  try {
    return lambdaErrorSchema.safeParse(JSON.parse(cause ?? '')).data?.errorMessage;
  } catch {
    // The cause is not of a function.
    return undefined;
  }
}
