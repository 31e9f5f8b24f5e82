import { TargetError } from '../../core/errors.ts';
import type { TargetContext } from '../rotator.ts';

/** What is to be changed takes no change in the state that it is in; later it may. */
export class InvalidState extends TargetError {
  constructor(message: string) {
    super('TargetTimeout', message);
  }
}

const nameOf = (error: unknown): string => {
  const name: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'name') : undefined;
  return typeof name === 'string' ? name : 'Unknown';
};

const httpStatus = (error: unknown): unknown => {
  const metadata: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, '$metadata') : undefined;
  return typeof metadata === 'object' && metadata !== null
    ? Reflect.get(metadata, 'httpStatusCode')
    : undefined;
};

/** Whether an API says that there is nothing with the identifier of the request. */
export const isNotFound = (error: unknown): boolean =>
  /^(?:DBInstance|DBCluster|Cluster|User)NotFound(?:Fault)?$/.test(nameOf(error));

/**
 * What a failed call means. The service's text is left out: nothing keeps it from quoting a parameter.
 * @param call - what was called: where, what for in words, the action that IAM knows it by, whether it changes anything,
 *   and how long it was waited for when that was too long
 */
function apiError(
  error: unknown,
  call: { where: string; doing: string; action: string; changes: boolean; timeoutMs?: number },
): TargetError {
  const { where, doing, action, changes, timeoutMs } = call;
  const name = nameOf(error);
  if (timeoutMs !== undefined) {
    return new TargetError(
      changes ? 'TargetTimeout' : 'TargetUnreachable',
      `${where}: no answer within ${timeoutMs} ms to: ${doing}`,
    );
  }
  if (/^Invalid(?:DBInstance|DBCluster|Cluster|User)State/.test(name)) {
    return new InvalidState(`${where}: cannot ${doing} now (${name})`);
  }
  if (/^(?:AccessDenied|UnauthorizedOperation|NotAuthorized)/.test(name)) {
    return new TargetError(
      'PermissionMissing',
      `${where}: the function may not ${doing} (${name}); its role needs ${action}, and no policy may deny it`,
    );
  }
  if (/^(?:Throttling|Throttled|RequestLimitExceeded|ServiceUnavailable|InternalFailure)/.test(name)) {
    return new TargetError('TargetTimeout', `${where}: cannot ${doing} now (${name}); try again`);
  }
  if (httpStatus(error) === undefined) {
    const code: unknown =
      typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
    return new TargetError(
      'TargetUnreachable',
      `${where}: no connection while trying to ${doing} (${typeof code === 'string' ? code : name})`,
    );
  }
  return new TargetError('TargetRefused', `${where}: refused to ${doing} (${name})`);
}

const timeoutOf = ({ connectTimeoutMs, statementTimeoutMs }: TargetContext): number =>
  connectTimeoutMs + statementTimeoutMs;

/** Calls an API within the time that connection and statement may take together. @throws TargetError */
export async function callApi<T>(
  call: {
    readonly where: string;
    readonly doing: string;
    readonly action: string;
    readonly changes: boolean;
  },
  context: TargetContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeoutMs = timeoutOf(context);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await work(signal);
  } catch (error) {
    throw apiError(error, { ...call, ...(signal.aborted && { timeoutMs }) });
  }
}
