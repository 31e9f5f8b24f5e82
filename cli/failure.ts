import { failedCall } from '../adapters/operator/call-trace.ts';
import { type AwsFault, awsFault, awsRemedies } from '../core/errors/aws.ts';
import { codes, type ErrorCode } from '../core/errors/codes.ts';
import { RekeyError, summarizeError } from '../core/errors/rekey-error.ts';
import { near } from '../core/suggest.ts';
import { CliError, usageError } from './errors.ts';

/** Puts AWS's sentence on one line, without its full stop. */
const sentence = (message: string): string => message.replace(/\s+/g, ' ').trim().replace(/[.]$/, '');

/**
 * Says what AWS answered to a person who called it. Its own text is passed on: the caller sent what it may quote, and no
 * command sends a secret's value.
 */
function told({ code, name, text }: AwsFault, what: string): string {
  switch (code) {
    case 'AccessDenied':
      return `${what} is denied to this caller.${text === '' ? '' : ` AWS says: ${sentence(text)}.`}`;
    case 'CredentialsMissing':
      return 'no AWS credentials were found; set AWS_PROFILE or --profile, sign in (aws sso login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
    case 'CredentialsExpired':
      return `the AWS credentials have expired (${what}); sign in again, for example with aws sso login`;
    case 'CredentialsInvalid':
      return `AWS does not accept these credentials (${what}: ${name}); check the profile, the keys and the session token`;
    case 'RegionMissing':
      return 'no AWS region is set; give --region or set AWS_REGION';
    case 'EndpointUntrusted':
      return `${what}: the endpoint's certificate is not trusted (${name}); set NODE_EXTRA_CA_CERTS to the authority that signed it`;
    case 'Unreachable':
      return `${what} got no answer (${name}); check the network, --region and AWS_ENDPOINT_URL`;
    case 'Throttled':
      return `${what} is being throttled by AWS; try again in a minute`;
    default:
      return `${what} failed (${name}: ${sentence(text)}); ${awsRemedies[code]}`;
  }
}

/** Codes of the way to AWS, whatever error an adapter has made of it. */
const ofTheWay: readonly ErrorCode[] = [
  'AccessDenied',
  'CredentialsMissing',
  'CredentialsExpired',
  'CredentialsInvalid',
  'RegionMissing',
  'ClockWrong',
  'EndpointUntrusted',
  'Unreachable',
  'Throttled',
];

/** Tells whether all that is known is what AWS answered. The adapters leave its text out, and a person may read it. */
const isOfAws = (error: unknown): boolean =>
  !(error instanceof RekeyError) || Object.hasOwn(codes.aws, error.code);

/**
 * Turns anything thrown into an error with an exit code. It says what was tried, what came back and what to do. Messages of
 * errors that neither Rekey nor AWS made are withheld, see {@link summarizeError}.
 */
export function explain(error: unknown): CliError {
  if (error instanceof CliError) {
    return error;
  }
  const action = failedCall(error);
  const fault = awsFault(error);
  const failure = (code: ErrorCode, message: string) =>
    new CliError(3, code, message, { cause: error, ...(action !== undefined && { action }) });
  if (fault !== undefined && (ofTheWay.includes(fault.code) || (action !== undefined && isOfAws(error)))) {
    return failure(fault.code, told(fault, action ?? 'the call'));
  }
  if (error instanceof RekeyError) {
    // What is wrong with a file is a failed check, not a system that refuses.
    return Object.hasOwn(codes.deployment, error.code)
      ? new CliError(1, error.code, error.message, { cause: error })
      : failure(error.code, error.message);
  }
  if (action !== undefined) {
    return failure('CallRefused', `${action} failed; ${summarizeError(error).message}`);
  }
  return failure('Unexpected', summarizeError(error).message);
}

/**
 * Replaces a failure for want of credentials or a region where the profile to take them from does not exist. Any other failure
 * stays as it is.
 *
 * @param profile - the profile that was given, if any
 * @param profiles - lists those that the AWS configuration has
 */
export async function blameProfile(
  failure: CliError,
  profile: string | undefined,
  profiles: () => Promise<readonly string[]>,
): Promise<CliError> {
  if (!profile || !['CredentialsMissing', 'RegionMissing'].includes(failure.code)) return failure;
  const known = await profiles().catch(() => [profile]);
  if (known.includes(profile)) return failure;
  const meant = near(profile, known);
  const hint =
    meant.length === 0
      ? 'aws configure list-profiles lists those that are'
      : `did you mean ${meant.join(', ')}? aws configure list-profiles lists all`;
  return usageError('ProfileUnknown', `the profile ${profile} is not in the AWS configuration; ${hint}`);
}
