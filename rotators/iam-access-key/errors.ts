import { awsFault, awsRemedies, denyingPolicy } from '../../core/errors/aws.ts';
import { TargetError } from '../../core/errors/rekey-error.ts';
import { targetCodes } from '../families/aws-api/errors.ts';

/** What an API call was for; all of it may end up in an error, so it holds no value of a secret. */
export interface Purpose {
  /** `IAM user "app"`. */
  readonly where: string;
  /** In words: `create an access key`. */
  readonly doing: string;
  /** The permission that allows it: `iam:CreateAccessKey`. */
  readonly action: string;
  /** What the permission must be for. Default: the user. */
  readonly on?: string;
}

/** Reads a field of whatever was thrown. */
const field = (of: unknown, name: string): unknown =>
  typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;

const textOf = (of: unknown, name: string): string | undefined => {
  const value = field(of, name);
  return typeof value === 'string' ? value : undefined;
};

/** What a service answered; undefined when the error is not an answer. The name is one that AWS publishes. */
export function serviceError(error: unknown): { name: string; status: number; message: string } | undefined {
  const status = field(field(error, '$metadata'), 'httpStatusCode');
  return typeof status === 'number'
    ? { name: textOf(error, 'name') ?? '', status, message: textOf(error, 'message') ?? '' }
    : undefined;
}

const theUser = "that user, whose ARN must stand in the secret's resources";

/**
 * What a failed call to IAM, STS or Lambda means. The service's own text is left out. Where it is not known whether the call was
 * done, and after an answer that asks to try later, the target counts as unreachable.
 */
export function callError(error: unknown, { where, doing, action, on = theUser }: Purpose): TargetError {
  if (error instanceof TargetError) return error;
  const { code, name, text } = awsFault(error) ?? { code: 'Unreachable', name: 'no answer', text: '' };
  switch (code) {
    case 'AccessDenied': {
      const policy = denyingPolicy(text);
      return new TargetError(
        'PermissionMissing',
        `${where}: may not ${doing} (${policy === '' ? name : `${name}: ${policy}`}); the role of the function needs ${action} on ${on}`,
      );
    }
    case 'EndpointUntrusted':
      return new TargetError(
        'TlsRefused',
        `${where}: could not ${doing}: the certificate of the API was not accepted (${name})`,
      );
    case 'Unreachable':
    case 'ServiceUnavailable':
      return new TargetError(
        'TargetUnreachable',
        `${where}: could not ${doing} (${name}); ${awsRemedies[code]}`,
      );
    default:
      return new TargetError(
        targetCodes[code] ?? 'TargetRefused',
        `${where}: could not ${doing} (${name}); ${awsRemedies[code]}`,
      );
  }
}
