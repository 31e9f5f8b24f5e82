import { type AwsErrorCode, awsFault, awsRemedies, denyingPolicy } from '../../../core/errors/aws.ts';
import { TargetError, type TargetErrorCode } from '../../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../../core/rotator.ts';

/** The refusal of a change in the present state of a resource. Later it may be taken. */
export class InvalidState extends TargetError {
  constructor(message: string) {
    super('TargetTimeout', message);
  }
}

/** Tells whether an API says that there is nothing with the identifier of the request. */
export const isNotFound = (error: unknown): boolean =>
  /^(?:DBInstance|DBCluster|Cluster|User)NotFound(?:Fault)?$/.test(awsFault(error)?.name ?? '');

/** Codes of a failed call to an API, for the target that the API stands for. Other codes are refusals. */
export const targetCodes: Partial<Readonly<Record<AwsErrorCode, TargetErrorCode>>> = {
  AccessDenied: 'PermissionMissing',
  EndpointUntrusted: 'TlsRefused',
  Unreachable: 'TargetUnreachable',
  Throttled: 'TargetBusy',
  ServiceUnavailable: 'TargetTimeout',
  ResourceBusy: 'TargetTimeout',
};

/** A call to an API: where, what for in words, its action in IAM, and whether it changes anything. */
interface ApiCall {
  readonly where: string;
  readonly doing: string;
  readonly action: string;
  readonly changes: boolean;
}

/**
 * Makes the error of a failed call. The service's text is left out, since it may quote a parameter.
 * @param timeoutMs - how long it was waited for when that was too long
 */
function apiError(
  error: unknown,
  { where, doing, action, changes }: ApiCall,
  timeoutMs?: number,
): TargetError {
  if (timeoutMs !== undefined) {
    return new TargetError(
      changes ? 'TargetTimeout' : 'TargetUnreachable',
      `${where}: no answer within ${timeoutMs} ms to: ${doing}; ${awsRemedies.Unreachable}`,
    );
  }
  const { code, name, text } = awsFault(error) ?? { code: 'Unreachable', name: 'no answer', text: '' };
  if (/^Invalid\w*State/.test(name)) {
    return new InvalidState(`${where}: cannot ${doing} now (${name})`);
  }
  if (code === 'AccessDenied') {
    const policy = denyingPolicy(text);
    return new TargetError(
      'PermissionMissing',
      `${where}: the function may not ${doing} (${policy === '' ? name : `${name}: ${policy}`}); its role needs ${action}, and no policy may deny it`,
    );
  }
  if (changes && code === 'CallInvalid' && /password/i.test(text)) {
    return new TargetError(
      'PolicyRefused',
      `${where}: the service does not take the password that it was given to ${doing} (${name})`,
    );
  }
  return new TargetError(
    targetCodes[code] ?? 'TargetRefused',
    `${where}: could not ${doing} (${name}); ${awsRemedies[code]}`,
  );
}

const timeoutOf = ({ connectTimeoutMs, statementTimeoutMs }: TargetContext): number =>
  connectTimeoutMs + statementTimeoutMs;

/** Calls an API within the time that connection and statement may take together. @throws TargetError */
export async function callApi<T>(
  call: ApiCall,
  context: TargetContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeoutMs = timeoutOf(context);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await work(signal);
  } catch (error) {
    throw apiError(error, call, signal.aborted ? timeoutMs : undefined);
  }
}
