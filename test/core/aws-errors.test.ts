import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type AwsErrorCode, awsFault, awsRemedies, denyingPolicy } from '../../core/errors/aws.ts';
import { isRetryable } from '../../core/errors/codes.ts';
import { summarizeError } from '../../core/errors/rekey-error.ts';

const root = join(import.meta.dirname, '..', '..');

/** Names of operations that the shipped code calls, by the package of their client. */
function operationsInUse(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const files = ['adapters', 'cli', 'lambdas', 'rotators'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, folder, name)),
  );
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const [, names = '', client = ''] of text.matchAll(
      /(?:import|export) (?:type )?\{([^}]*)\} from '@aws-sdk\/(client-[\w-]+)'/g,
    )) {
      const operations = [...names.matchAll(/\b(?:(\w+)Command\b|paginate(\w+))/g)].map(
        ([, command, paginated]) => command ?? paginated ?? '',
      );
      found.set(client, new Set([...(found.get(client) ?? []), ...operations]));
    }
  }
  return found;
}

interface Documented {
  readonly client: string;
  readonly name: string;
  readonly error: Error;
}

/** Every exception that the SDK documents for an operation in use, made of the SDK's own class. */
async function documentedErrors(): Promise<readonly Documented[]> {
  const errors = new Map<string, Documented>();
  for (const [client, operations] of operationsInUse()) {
    const classes: Record<string, unknown> = await import(`@aws-sdk/${client}`);
    for (const operation of operations) {
      const page = join(
        root,
        'node_modules/@aws-sdk',
        client,
        `dist-types/commands/${operation}Command.d.ts`,
      );
      for (const [, name = '', fault = ''] of readFileSync(page, 'utf8').matchAll(
        /@throws \{@link (\w+)\} \((client|server) fault\)/g,
      )) {
        const Exception = classes[name] as new (options: object) => Error;
        const $metadata = { httpStatusCode: fault === 'server' ? 500 : 400 };
        errors.set(`${client} ${name}`, {
          client,
          name,
          error: new Exception({ message: 'quoting hunter2', $metadata }),
        });
      }
    }
  }
  return [...errors.values()];
}

/** What each documented name means. An exception that the SDK adds fails the test until it stands here. */
const meanings: Readonly<Partial<Record<AwsErrorCode, string>>> = {
  AccessDenied: `
    AuthorizationErrorException EC2AccessDeniedException KMSAccessDeniedException KmsAccessDenied KmsAccessDeniedException
    UnauthorizedOperation`,
  CredentialsExpired: `
    ExpiredTokenException`,
  CredentialsInvalid: `
    InvalidSecurity InvalidSecurityException InvalidToken`,
  Throttled: `
    DependentServiceRequestThrottlingFault EC2ThrottledException ExecutionLimitExceeded KMSThrottlingException KmsThrottled
    KmsThrottlingException ProvisionedThroughputExceededException RequestLimitExceeded
    RequestThrottled ThrottlingException TooManyRequestsException`,
  ServiceUnavailable: `
    DependencyTimeoutException EC2UnexpectedException InternalErrorException InternalException InternalServerError
    InternalServiceError
    KeyUnavailableException PolicyEvaluationException ServiceException ServiceFailureException
    ServiceUnavailableException`,
  KeyUnusable: `
    DecryptionFailure EncryptionFailure InvalidKeyId KMSDisabledException KMSInternalException
    KMSInvalidMacException KMSInvalidStateException KMSKeyNotAccessibleFault KMSNotFoundException KMSOptInRequired
    KmsDisabled KmsInvalidKeyUsage KmsInvalidState KmsInvalidStateException KmsNotFound
    KmsOptInRequired`,
  QuotaReached: `
    ENILimitReachedException HierarchyLevelLimitExceededException InsufficientClusterCapacityFault
    InsufficientDBInstanceCapacityFault ItemCollectionSizeLimitExceededException
    LimitExceededException LimitExceededFault NumberOfNodesPerClusterLimitExceededFault
    NumberOfNodesQuotaExceededFault ParameterLimitExceeded ParameterMaxVersionLimitExceeded
    PoliciesLimitExceededException ServiceQuotaExceededException StorageQuotaExceededFault
    SubnetIPAddressLimitReachedException TableLimitExceededFault TenantDatabaseQuotaExceededFault`,
  ResourceBusy: `
    CodeArtifactUserPendingException ConcurrentModificationException ENINotReadyException
    InvalidClusterSecurityGroupStateFault InvalidClusterStateFault
    InvalidDBCapacityReservationStateFault InvalidDBClusterStateFault InvalidDBInstanceStateFault
    InvalidDBSecurityGroupStateFault InvalidDBSubnetGroupStateFault InvalidGlobalClusterStateFault
    InvalidNextToken InvalidNextTokenException InvalidUserStateFault InvalidVPCNetworkStateFault
    ReplicatedWriteConflictException ResourceConflictException ResourceNotReadyException
    SnapStartNotReadyException TooManyUpdates TransactionConflictException TransactionInProgressException`,
  ResourceMissing: `
    AuthorizationNotFoundFault BackupPolicyNotFoundFault CertificateNotFoundFault
    ClusterNotFoundFault ClusterParameterGroupNotFoundFault ClusterSecurityGroupNotFoundFault
    DBCapacityReservationNotFoundFault DBClusterNotFoundFault DBClusterParameterGroupNotFoundFault
    DBInstanceNotFoundFault DBParameterGroupNotFoundFault DBSecurityGroupNotFoundFault
    DBSubnetGroupNotFoundFault DomainNotFoundFault ExecutionDoesNotExist
    HsmClientCertificateNotFoundFault HsmConfigurationNotFoundFault Ipv6CidrBlockNotFoundFault
    NoSuchBucket NoSuchEntityException NoSuchKey NotFoundException OptionGroupNotFoundFault
    ParameterNotFound ParameterVersionNotFound QueueDoesNotExist ResourceNotFoundException
    ServiceLinkedRoleNotFoundFault StateMachineDeleting StateMachineDoesNotExist TaskDoesNotExist
    UserNotFoundFault`,
  CallInvalid: `
    BatchEntryIdsNotDistinct BatchRequestTooLong ClusterAlreadyExistsFault
    DBClusterAlreadyExistsFault DBInstanceAlreadyExistsFault EmptyBatchRequest
    ExecutionAlreadyExists InvalidAddress InvalidAllowedPatternException InvalidArn InvalidArnException
    InvalidAttributeName InvalidBatchEntryId InvalidClusterTrackFault InvalidElasticIpFault
    InvalidEndpointException InvalidExecutionInput InvalidFilterKey InvalidFilterOption
    InvalidFilterValue InvalidGrantIdException InvalidGrantTokenException InvalidInputException InvalidKeyUsageException
    InvalidMarkerException InvalidMessageContents
    InvalidName InvalidOutput InvalidParameterCombinationException InvalidParameterException
    InvalidParameterValueException InvalidPolicyAttributeException InvalidPolicyTypeException
    InvalidRequest InvalidRequestContentException InvalidRequestException
    InvalidRetentionPeriodFault InvalidRuntimeException InvalidSecurityGroupIDException
    InvalidSubnet InvalidSubnetIDException InvalidTagFault InvalidWriteOffset
    InvalidZipFileException MalformedPolicyDocumentException ModeNotSupportedException
    NetworkTypeNotSupported PackedPolicyTooLargeException ParameterAlreadyExists RequestTooLargeException
    SerializedRequestEntityTooLargeException StorageTypeNotSupportedFault
    TooManyEntriesInBatchRequest TooManyParts UnsupportedMediaTypeException UnsupportedOperation
    UnsupportedOperationFault UnsupportedOptionFault UnsupportedParameterType ValidationException`,
  CallRefused: `
    AccountSuspendedException BadRequestException CodeArtifactUserDeletedException CodeArtifactUserFailedException ConditionalCheckFailedException
    CustomCnameAssociationFault DBUpgradeDependencyFailureFault DisabledException
    DryRunOperationException DurableExecutionAlreadyStartedException EFSIOException
    EFSMountConnectivityException EFSMountFailureException EFSMountTimeoutException
    EncryptionTypeMismatch EndpointDisabledException HierarchyTypeMismatchException
    IdempotentParameterMismatchException IncompatiblePolicyException
    InvalidObjectState MailFromDomainNotVerifiedException MessageNotInflight MessageRejected NoPublishedVersionException ParameterPatternMismatchException
    PlatformApplicationDisabledException ProvisionedIopsNotAvailableInAZFault ReceiptHandleIsInvalid RecursiveInvocationException RegionDisabledException ResourceExistsException
    S3FilesMountConnectivityException S3FilesMountFailureException S3FilesMountTimeoutException
    SendingPausedException
    SnapStartException SnapStartRegenerationFailureException SnapStartTimeoutException
    StorageTypeNotAvailableFault TaskTimedOut TransactionCanceledException UnmodifiableEntityException VpcEncryptionControlViolationException`,
};

describe('what AWS documents for the operations in use', () => {
  test('has a code for every exception, by its name', async () => {
    const errors = await documentedErrors();
    expect(errors.length).toBeGreaterThan(120);
    const found: Partial<Record<AwsErrorCode, string[]>> = {};
    for (const { name, error } of errors) {
      const fault = awsFault(error);
      expect([name, fault?.name]).toEqual([name, name]);
      if (fault === undefined) continue;
      found[fault.code] = [...new Set([...(found[fault.code] ?? []), name])].sort();
    }
    const expected = Object.entries(meanings).map(([code, names]) => [code, names.trim().split(/\s+/)]);
    expect(found).toEqual(Object.fromEntries(expected));
  });

  test('is summarised by its code, and its text is withheld', async () => {
    for (const { error } of await documentedErrors()) {
      const fault = awsFault(error);
      const { code, message, retryable } = summarizeError(error);
      expect(code).toBe(fault?.code);
      expect(retryable).toBe(fault !== undefined && isRetryable(fault.code));
      expect(message).toContain(error.name);
      expect(message).not.toContain('hunter2');
    }
  });
});

/** As the SDK throws it: with the status of the answer, where there was one. */
const thrown = (name: string, more: object = {}) =>
  Object.assign(new Error('quoting hunter2'), { name, $metadata: {}, ...more });

describe('what AWS and the way to it may answer to any call', () => {
  test.each<[string, object, AwsErrorCode]>([
    ['ThrottlingException', {}, 'Throttled'],
    ['Throttling', {}, 'Throttled'],
    ['SlowDown', {}, 'Throttled'],
    ['RequestLimitExceeded', {}, 'Throttled'],
    ['KMS.ThrottlingException', {}, 'Throttled'],
    ['ExpiredTokenException', {}, 'CredentialsExpired'],
    ['ExpiredToken', {}, 'CredentialsExpired'],
    ['UnrecognizedClientException', {}, 'CredentialsInvalid'],
    ['InvalidClientTokenId', {}, 'CredentialsInvalid'],
    ['InvalidSignatureException', {}, 'CredentialsInvalid'],
    ['InvalidSignatureException', { message: 'Signature expired: 20260101T000000Z' }, 'ClockWrong'],
    ['SignatureDoesNotMatch', { message: 'Signature not yet current' }, 'ClockWrong'],
    ['RequestTimeTooSkewed', {}, 'ClockWrong'],
    ['RequestExpired', {}, 'ClockWrong'],
    ['AccessDeniedException', {}, 'AccessDenied'],
    ['AccessDenied', {}, 'AccessDenied'],
    ['KMS.DisabledException', {}, 'KeyUnusable'],
    ['KMS.KMSInvalidStateException', {}, 'KeyUnusable'],
    ['InternalFailure', {}, 'ServiceUnavailable'],
    ['ServiceUnavailable', {}, 'ServiceUnavailable'],
    ['CredentialsProviderError', {}, 'CredentialsMissing'],
    ['Error', { message: 'Region is missing' }, 'RegionMissing'],
    ['TimeoutError', {}, 'Unreachable'],
    ['Error', { code: 'ENOTFOUND' }, 'Unreachable'],
    ['Error', { code: 'ECONNREFUSED' }, 'Unreachable'],
    ['AggregateError', { errors: [thrown('Error', { code: 'ETIMEDOUT' })] }, 'Unreachable'],
    ['Error', { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, 'EndpointUntrusted'],
    ['SomethingNew', { $metadata: { httpStatusCode: 503 } }, 'ServiceUnavailable'],
    ['SomethingNew', { $metadata: { httpStatusCode: 429 } }, 'Throttled'],
    ['SomethingNew', { $metadata: { httpStatusCode: 403 } }, 'AccessDenied'],
    ['SomethingNew', { $metadata: { httpStatusCode: 400 } }, 'CallRefused'],
  ])('%s %j', (name, more, code) => {
    const error = thrown(name, more);
    expect(awsFault(error)?.code).toBe(code);
    const summary = summarizeError(error);
    expect(summary).toMatchObject({ code, retryable: isRetryable(code) });
    expect(summary.message).toContain(awsRemedies[code]);
    expect(summary.message).not.toContain('hunter2');
  });

  test('a word in capitals in a text that was not answered is not passed on', () => {
    const error = thrown('Error', { message: 'bad value EXAMPLEPASSWORD', $metadata: { attempts: 1 } });
    expect(awsFault(error)).toMatchObject({ code: 'Unreachable', name: 'Error' });
    expect(summarizeError(error).message).not.toContain('EXAMPLEPASSWORD');
  });

  test.each([
    ['a defect', new TypeError('hunter2 is not a function')],
    ['an error of a driver', Object.assign(new Error('hunter2'), { name: 'error', code: '28000' })],
    ['no error', 'hunter2'],
    ['nothing', undefined],
  ])('%s is none of AWS, and stays unexpected', (_, error) => {
    expect(awsFault(error)).toBeUndefined();
    expect(summarizeError(error)).toMatchObject({ code: 'Unexpected', retryable: false });
    expect(summarizeError(error).message).not.toContain('hunter2');
  });

  test.each([
    [
      'User: x is not authorized to perform: y because no VPC endpoint policy allows the y action',
      'no VPC endpoint policy allows it',
    ],
    ['… with an explicit deny in a service control policy', 'an explicit deny in the service control policy'],
    ['… because no resource-based policy allows the action', 'no resource-based policy allows it'],
    ['Access to KMS is not allowed', 'the policy of the KMS key, or the role for that key'],
    ['quoting hunter2', ''],
  ])('a denial %j names the kind of policy, and nothing else of the text', (text, kind) => {
    expect(denyingPolicy(text)).toBe(kind);
  });
});
