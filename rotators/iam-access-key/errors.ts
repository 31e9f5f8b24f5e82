import { TargetError } from '../../core/errors.ts';

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

const throttled = new Set([
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
]);

/** Code of a failed TLS handshake, as Node and OpenSSL name them. */
const tlsCode = /CERT|^ERR_(?:TLS|SSL)|SELF_SIGNED|^UNABLE_TO_|^EPROTO$|^HOSTNAME_MISMATCH$/;

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

/** What a failed call to IAM, STS or Lambda means. The service's own text is left out. */
export function callError(error: unknown, { where, doing, action, on = theUser }: Purpose): TargetError {
  if (error instanceof TargetError) return error;
  const answer = serviceError(error);
  if (answer === undefined) return connectionError(error, `${where}: could not ${doing}`);
  const { name, status } = answer;
  if (name === 'AccessDenied' || name === 'AccessDeniedException') {
    return new TargetError(
      'PermissionMissing',
      `${where}: may not ${doing} (${name}); the role of the function needs ${action} on ${on}`,
    );
  }
  if (throttled.has(name) || status >= 500) {
    return new TargetError(
      'TargetUnreachable',
      `${where}: could not ${doing} (${name}); AWS asks to try later`,
    );
  }
  return new TargetError('TargetRefused', `${where}: could not ${doing} (${name})`);
}

function connectionError(error: unknown, what: string): TargetError {
  const name = textOf(error, 'name');
  const code = textOf(error, 'code');
  if (name === 'AbortError' || name === 'TimeoutError') {
    return new TargetError(
      'TargetUnreachable',
      `${what}: no answer in time; can the function reach the API?`,
    );
  }
  if (name === 'CredentialsProviderError') {
    return new TargetError('TargetRefused', `${what}: the function has no credentials of a role`);
  }
  if (code !== undefined && tlsCode.test(code)) {
    return new TargetError('TlsRefused', `${what}: the certificate of the API was not accepted (${code})`);
  }
  return new TargetError(
    'TargetUnreachable',
    `${what}: no connection${code === undefined ? '' : ` (${code})`}`,
  );
}
