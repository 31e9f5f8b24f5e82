import { failedCall } from '../adapters/call-trace.ts';
import type { ErrorCode } from '../core/errors/codes.ts';
import { RekeyError, summarizeError } from '../core/errors.ts';
import { CliError } from './errors.ts';

const denied = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthorizationError',
  'Forbidden',
  'KMSAccessDeniedException',
  'KmsAccessDeniedException',
  'SecretAccessDenied',
  'UnauthorizedOperation',
]);
const expired = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'TokenProviderError',
  'TokenRefreshRequired',
]);
const invalidCredentials = new Set([
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);
const throttled = new Set([
  'RequestLimitExceeded',
  'SlowDown',
  'ThrottlingException',
  'TooManyRequestsException',
]);
const unreachable = new Set([
  'ConnectionError',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'NetworkingError',
  'TimeoutError',
]);

interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
}

/** Told by its form: an error of a worker or of another realm is no instance of this one's `Error`. */
const isThrown = (value: unknown): value is Thrown =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'message' in value &&
  typeof value.message === 'string';

/** Names and codes of an error and its causes, the outermost first. */
function namesOf(error: unknown): { names: string[]; errors: Thrown[] } {
  const names: string[] = [];
  const errors: Thrown[] = [];
  let at = error;
  for (let depth = 0; isThrown(at) && depth < 8; depth += 1) {
    errors.push(at);
    names.push(at.name);
    if (typeof at.code === 'string') {
      names.push(at.code);
    }
    at =
      'cause' in at && at.cause !== undefined
        ? at.cause
        : 'errors' in at && Array.isArray(at.errors)
          ? at.errors[0]
          : undefined;
  }
  return { names, errors };
}

/** AWS's sentence on one line, without its full stop. */
const sentence = (message: string): string => message.replace(/\s+/g, ' ').trim().replace(/[.]$/, '');

/**
 * Turns anything thrown into an error that says what was tried, what came back and what to do, with an exit code.
 * Messages of errors that neither Rekey nor AWS made are withheld, see {@link summarizeError}.
 */
export function explain(error: unknown): CliError {
  if (error instanceof CliError) {
    return error;
  }
  const { names, errors } = namesOf(error);
  const action = failedCall(error);
  const what = action ?? 'the call';
  const has = (set: ReadonlySet<string>) => names.some((name) => set.has(name));
  const failure = (code: ErrorCode, message: string) =>
    new CliError(3, code, message, { cause: error, ...(action !== undefined && { action }) });
  const from = errors.find(({ name }) => denied.has(name) && name !== 'SecretAccessDenied');

  if (has(denied)) {
    const said = from === undefined ? '' : ` AWS says: ${sentence(from.message)}.`;
    return failure('AccessDenied', `${what} is denied to this caller.${said}`);
  }
  if (names.includes('CredentialsProviderError')) {
    return failure(
      'CredentialsMissing',
      'no AWS credentials were found; set AWS_PROFILE or --profile, sign in (aws sso login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  }
  if (has(expired)) {
    return failure(
      'CredentialsExpired',
      `the AWS credentials have expired (${what}); sign in again, for example with aws sso login`,
    );
  }
  if (has(invalidCredentials)) {
    return failure(
      'CredentialsInvalid',
      `AWS does not accept these credentials (${what}: ${names[0]}); check the profile, the keys and the session token`,
    );
  }
  if (errors.some(({ message }) => message === 'Region is missing')) {
    return failure('RegionMissing', 'no AWS region is set; give --region or set AWS_REGION');
  }
  const certificate = names.find(
    (name) => name.includes('CERT') || name.startsWith('ERR_TLS') || name === 'ERR_SSL',
  );
  if (certificate !== undefined) {
    return failure(
      'EndpointUntrusted',
      `${what}: the endpoint's certificate is not trusted (${certificate}); set NODE_EXTRA_CA_CERTS to the authority that signed it`,
    );
  }
  if (has(unreachable)) {
    const name = names.find((one) => unreachable.has(one));
    return failure(
      'Unreachable',
      `${what} got no answer (${name}); check the network, --region and AWS_ENDPOINT_URL`,
    );
  }
  if (has(throttled)) {
    return failure('Throttled', `${what} is being throttled by AWS; try again in a minute`);
  }
  if (error instanceof RekeyError) {
    return failure(error.code, error.message);
  }
  if (action !== undefined && isThrown(error)) {
    return failure('CallRefused', `${what} was refused: ${error.name}: ${sentence(error.message)}`);
  }
  return failure('Unexpected', summarizeError(error).message);
}
