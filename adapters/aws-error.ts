import {
  type AwsErrorCode,
  type AwsFault,
  awsFault,
  awsRemedies,
  denyingPolicy,
} from '../core/errors/aws.ts';
import { AuditUnavailableError, RekeyError } from '../core/errors/rekey-error.ts';

/** A call of AWS, as an error names it; no part of it is a secret. */
export interface AwsCall {
  /** Name of the service, such as `Systems Manager`. */
  readonly service: string;
  /** The action as IAM knows it: `ssm:GetParameter`. */
  readonly action: string;
  /** Thing that the call was about: the name of a parameter, a bucket, a workflow. */
  readonly on: string;
}

/**
 * Turns the failure of a call of AWS into an error that names the call, the cause and the remedy. The cause is AWS's own name
 * of it. AWS's text is left out, since it may quote a parameter; of a denial, it tells which kind of policy denies.
 * @returns the error itself when it is none of AWS
 */
export function awsError(error: unknown, call: AwsCall): unknown {
  if (error instanceof RekeyError) return error;
  const fault = awsFault(error);
  return fault === undefined
    ? error
    : new RekeyError<AwsErrorCode>(fault.code, `${call.service}: ${callFailed(fault, call)}`, {
        cause: error,
      });
}

/** Says what failed and what to do, without the service. */
function callFailed({ code, name, text }: AwsFault, { action, on }: Pick<AwsCall, 'action' | 'on'>): string {
  const policy = code === 'AccessDenied' ? denyingPolicy(text) : '';
  const because = policy === '' ? name : `${name}: ${policy}`;
  const what = { AccessDenied: 'is denied', Unreachable: 'got no answer', Throttled: 'is throttled' }[
    code as string
  ];
  return `${action} on ${on} ${what ?? 'failed'} (${because}); ${awsRemedies[code]}`;
}

/**
 * Says why a record was not taken, and whether it may be later.
 * @param action - what the role and the policy of the resource must allow
 */
export function notTaken(what: string, cause: unknown, action: string): AuditUnavailableError {
  const fault = awsFault(cause);
  const name = fault?.name ?? (cause instanceof Error ? cause.name : 'unknown error');
  const policy = fault?.code === 'AccessDenied' ? denyingPolicy(fault.text) : '';
  const because = policy === '' ? name : `${name}: ${policy}`;
  const remedy =
    fault === undefined ? `check the way there, and that this role may ${action}` : awsRemedies[fault.code];
  return new AuditUnavailableError(`${what} (${action}, ${because}); ${remedy}`, {
    cause,
    fault: fault?.code,
  });
}

/** Awaits a call of AWS. @throws RekeyError by {@link awsError} */
export const called = <T>(call: AwsCall, answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    throw awsError(error, call);
  });
