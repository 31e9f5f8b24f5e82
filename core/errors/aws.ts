import { codes, type ErrorCodeOf, isErrorCode } from './codes.ts';

/** Code for the meaning of a failed call to AWS. */
export type AwsErrorCode = ErrorCodeOf<'aws'>;

const isAwsErrorCode = (code: string): code is AwsErrorCode => Object.hasOwn(codes.aws, code);

/** An error of AWS, of its SDK, or of the way to it. */
export interface AwsFault {
  readonly code: AwsErrorCode;
  /** The name that AWS, the SDK or the network gave it. AWS publishes all of them: none quotes a value. */
  readonly name: string;
  /** Text that came with it. It may quote a parameter, so it goes to nobody but who sent that. */
  readonly text: string;
}

/** The facts that are read of a thrown value. An error of a worker or of another realm is no instance of this one's `Error`. */
interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly code: string;
  /** HTTP status of an answer. */
  readonly status: number | undefined;
  /** True if the SDK marked it, as it does with all that it throws. */
  readonly ofSdk: boolean;
}

/**
 * Names of errors, as the API references and the SDK's exception classes have them; the first rule that fits counts. Names
 * are regular throughout AWS, so a service that is added brings few new ones. A test holds this against the exceptions
 * that the SDK documents for every operation that Rekey calls.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 */
const rules: readonly (readonly [RegExp, AwsErrorCode])[] = [
  [/AccessDenied|^AuthorizationError|^Forbidden$|^UnauthorizedOperation$|^NotAuthorized/, 'AccessDenied'],
  [/^CredentialsProviderError$/, 'CredentialsMissing'],
  [/^ExpiredToken|^TokenProviderError$|^TokenRefreshRequired$/, 'CredentialsExpired'],
  [/^RequestTimeTooSkewed$|^RequestExpired$|^RequestInTheFuture$/, 'ClockWrong'],
  [
    /^IncompleteSignature|^InvalidAccessKeyId$|^InvalidClientTokenId$|^InvalidSignature|^MissingAuthenticationToken|^SignatureDoesNotMatch$|^UnrecognizedClient|^InvalidToken$|^InvalidSecurity(?:Exception)?$/,
    'CredentialsInvalid',
  ],
  [
    /Throttl|^BandwidthLimitExceeded$|^ExecutionLimitExceeded$|^PriorRequestNotComplete$|^ProvisionedThroughputExceeded|^RequestLimitExceeded$|^SlowDown$|^TooManyRequests/,
    'Throttled',
  ],
  [/^(?:De|En)cryptionFailure$|^KMS|^Kms|^InvalidKeyId$/, 'KeyUnusable'],
  [/LimitExceeded|QuotaExceeded|LimitReached|^Insufficient\w*Capacity/, 'QuotaReached'],
  [/^InvalidObjectState$/, 'CallRefused'],
  [
    /^Invalid\w*State(?:Fault|Exception)?$|Conflict|^ConcurrentModification|NotReady|Pending(?:Exception)?$|^OperationAborted$|^InvalidNextToken|^TooManyUpdates$|^TransactionInProgress/,
    'ResourceBusy',
  ],
  [/NotFound|DoesNotExist|^NoSuch|^NonExistent|^StateMachineDeleting$/, 'ResourceMissing'],
  [
    /^Internal|^PolicyEvaluation(?:Exception)?$|^Service(?:Exception|Failure|Unavailable)|^RequestTimeout/,
    'ServiceUnavailable',
  ],
  [
    /^Invalid|^Validation|^Malformed|^Unsupported|^Unknown(?:Operation|Parameter)|NotSupported|AlreadyExists|TooLarge|TooLong|^TooMany|^Empty|NotDistinct/,
    'CallInvalid',
  ],
  [
    /^(?:EADDRNOTAVAIL|EAI_AGAIN|EAI_FAIL|ECONNABORTED|ECONNREFUSED|ECONNRESET|EHOSTDOWN|EHOSTUNREACH|ENETDOWN|ENETUNREACH|ENOTFOUND|EPIPE|ETIMEDOUT|ERR_SOCKET_CONNECTION_TIMEOUT)$|^(?:AbortError|ConnectionError|NetworkingError|TimeoutError)$/,
    'Unreachable',
  ],
  [/CERT|^ERR_(?:TLS|SSL)|SELF_SIGNED|^UNABLE_TO_|^EPROTO$|^HOSTNAME_MISMATCH$/, 'EndpointUntrusted'],
];

/** Codes of Node.js for a way that leads nowhere. They are found in a text, which may hold other words in capitals. */
const wayCode =
  /\b(?:EADDRNOTAVAIL|EAI_AGAIN|EAI_FAIL|ECONNABORTED|ECONNREFUSED|ECONNRESET|EHOSTDOWN|EHOSTUNREACH|ENETDOWN|ENETUNREACH|ENOTFOUND|EPIPE|ETIMEDOUT)\b/;

const field = (of: unknown, name: string): unknown =>
  typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;

const textIn = (of: unknown, name: string): string => {
  const value = field(of, name);
  return typeof value === 'string' ? value : '';
};

/** Lists an error and its causes, the outermost first. */
function causes(error: unknown): readonly Thrown[] {
  const found: Thrown[] = [];
  for (let at = error; typeof at === 'object' && at !== null && found.length < 8; ) {
    const metadata = field(at, '$metadata');
    const status = field(metadata, 'httpStatusCode');
    found.push({
      name: textIn(at, 'name'),
      message: textIn(at, 'message'),
      code: textIn(at, 'code'),
      status: typeof status === 'number' ? status : undefined,
      ofSdk: metadata !== undefined,
    });
    const several = field(at, 'errors');
    at = field(at, 'cause') ?? (Array.isArray(several) ? several[0] : undefined);
  }
  return found;
}

/** Says what a code of a service means, which it gave beside the entry of a batch. */
export const awsCodeOf = (name: string): AwsErrorCode | undefined =>
  rules.find(([rule]) => rule.test(name))?.[1];

/** Chooses a code by the status of an answer whose name is not known. */
function byStatus(status: number): AwsErrorCode {
  if (status === 429) return 'Throttled';
  if (status === 403) return 'AccessDenied';
  return status >= 500 ? 'ServiceUnavailable' : 'CallRefused';
}

/** Tells whether a request came some minutes late or early, which its signature does not allow. */
const isLate = ({ name, message }: Thrown): boolean =>
  /^InvalidSignature|^SignatureDoesNotMatch$/.test(name) && /expired|not yet current/i.test(message);

/**
 * Says what a failed call to AWS means, by the name of the error or of one of its causes.
 * @returns undefined when it is no error of AWS, of its SDK, or of the way there
 */
export function awsFault(error: unknown): AwsFault | undefined {
  const thrown = causes(error);
  for (const one of thrown) {
    // Of Rekey's own errors, the cause says what AWS answered.
    if (isErrorCode(one.code)) continue;
    const found = (code: AwsErrorCode, name = one.name) => ({ code, name, text: one.message });
    if (one.message === 'Region is missing') return found('RegionMissing');
    if (isLate(one)) return found('ClockWrong');
    for (const name of [one.name, one.code]) {
      const code = awsCodeOf(name);
      if (code !== undefined) return found(code, name);
    }
  }
  const answered = thrown.find(({ status }) => status !== undefined);
  if (answered !== undefined) {
    return { code: byStatus(answered.status ?? 0), name: answered.name, text: answered.message };
  }
  // What the SDK marked and no service answered did not arrive; but for a defect, which is not AWS's.
  const lost = thrown.find(
    ({ name, ofSdk }) => ofSdk && !/^(?:Range|Reference|Syntax|Type)Error$/.test(name),
  );
  if (lost !== undefined) {
    const code = wayCode.exec(lost.message)?.[0];
    return { code: 'Unreachable', name: code ?? lost.name, text: lost.message };
  }
  const own = thrown.find(({ code }) => isAwsErrorCode(code));
  return own && { code: own.code as AwsErrorCode, name: own.code, text: '' };
}

/** Says whether the SDK has thrown this. */
export const isOfSdk = (error: unknown): boolean => causes(error).some(({ ofSdk }) => ofSdk);

/**
 * Kinds of policies, as AWS's text about a denial names them: the only part of it that is passed on.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
const policies = [
  'VPC endpoint policy',
  'resource-based policy',
  'service control policy',
  'resource control policy',
  'permissions boundary',
  'session policy',
  'identity-based policy',
] as const;

/** Says which kind of policy denies; empty where AWS does not tell. */
export function denyingPolicy(message: string): string {
  if (/access to kms is not allowed|kms:/i.test(message))
    return 'the policy of the KMS key, or the role for that key';
  const text = message.toLowerCase().replaceAll('policies', 'policy');
  const kind = policies.find((one) => text.includes(one.toLowerCase()));
  if (kind === undefined) return '';
  return text.includes('explicit deny') ? `an explicit deny in the ${kind}` : `no ${kind} allows it`;
}

/** Remedies in the words of somebody who works with functions in AWS. */
export const awsRemedies: Readonly<Record<AwsErrorCode, string>> = {
  AccessDenied:
    'the policies of the role, the resource, its KMS key and the VPC endpoint must all allow it: deploy again',
  CredentialsMissing: 'the function has no credentials of a role: deploy again',
  CredentialsExpired: 'the credentials have expired',
  CredentialsInvalid: 'AWS does not accept the credentials',
  RegionMissing: 'no AWS region is set',
  ClockWrong: 'the clock here is minutes off: set it right',
  EndpointUntrusted: 'the certificate of the endpoint is not trusted: find out who is in between',
  Unreachable:
    'from a VPC there must be an endpoint of this service or a NAT gateway, private DNS, and a security group that lets HTTPS out',
  Throttled: 'AWS asks to try later',
  ServiceUnavailable: 'AWS failed; try later, and see the AWS Health Dashboard if it stays',
  ResourceBusy: 'another change is under way; try later',
  ResourceMissing: 'it does not exist in this account and region: deploy again',
  QuotaReached: 'a quota of AWS is reached: make room, or have it raised',
  KeyUnusable:
    'its KMS key cannot be used: enable it, cancel its deletion, or allow its use in the policy of the key',
  CallInvalid: 'AWS takes the call for invalid: correct the value that is named, or report a defect of Rekey',
  CallRefused: 'look the name up in the API reference of the action',
};
