import { awsFault, awsRemedies, denyingPolicy } from '../../core/errors/aws.ts';
import { TargetError } from '../../core/errors/rekey-error.ts';
import { targetCodes } from '../families/aws-api/errors.ts';

/** The purpose of an API call. All of it may end up in an error, so it holds no value of a secret. */
export interface Purpose {
  /** Name of the target: `IAM user "app"`. */
  readonly where: string;
  /** Words for the deed: `create an access key`. */
  readonly doing: string;
  /** Permission that allows it: `iam:CreateAccessKey`. */
  readonly action: string;
  /** Resource that the permission must be for. Default: the user. */
  readonly on?: string;
}

/** Reads a field of whatever was thrown. */
const field = (of: unknown, name: string): unknown =>
  typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;

const textOf = (of: unknown, name: string): string | undefined => {
  const value = field(of, name);
  return typeof value === 'string' ? value : undefined;
};

/** Reads the answer of a service from an error; undefined when it is none. The name is one that AWS publishes. */
export function serviceError(error: unknown): { name: string; status: number; message: string } | undefined {
  const status = field(field(error, '$metadata'), 'httpStatusCode');
  return typeof status === 'number'
    ? { name: textOf(error, 'name') ?? '', status, message: textOf(error, 'message') ?? '' }
    : undefined;
}

const theUser = "that user, whose ARN must stand in the secret's resources";

/**
 * Makes the error for a failed call to IAM, STS or Lambda. The service's own text is left out. The target counts as unreachable
 * where it is open whether the call was done, and after an answer that asks to try later.
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
