import { awsFault, denyingPolicy } from '../core/errors/aws.ts';
import { RekeyError, SecretError, type SecretErrorCode } from '../core/errors/rekey-error.ts';
import { awsError } from './aws-error.ts';

/**
 * Bytes that a value may have.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const longestValue = 65_536;

/** Pattern of a name or an ARN of a secret; a colon is in no name. */
const possibleId =
  /^(?:[\w/+=.@!-]{1,512}|arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@!-]{1,519})$/;

/**
 * Turns what Secrets Manager answers into an error that names the cause and what to do. Its own text is only looked at, never
 * passed on: it may quote a parameter.
 * @param bytes - of the value that was to be stored, where one was
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html#API_PutSecretValue_Errors
 */
export function secretsManagerError(
  error: unknown,
  action: string,
  secretId: string,
  bytes?: number,
): unknown {
  const fault = awsFault(error);
  if (error instanceof RekeyError || fault === undefined) return error;
  const { code, name, text } = fault;
  const because = (secretError: SecretErrorCode, message: string) =>
    new SecretError(secretError, message, { cause: error });
  const call = `secretsmanager:${action}`;
  switch (name) {
    case 'ResourceNotFoundException':
      return because('SecretMissing', `secret ${secretId} does not exist in this account and region`);
    case 'DecryptionFailure':
    case 'EncryptionFailure':
      return because(
        'SecretKeyUnusable',
        `Secrets Manager cannot use the KMS key of ${secretId} for ${action} (${name}); enable the key, cancel its deletion, or import its material again`,
      );
    case 'LimitExceededException':
      return action === 'UpdateSecretVersionStage'
        ? because(
            'LabelQuotaReached',
            `${secretId} has as many staging labels as Secrets Manager allows (${name}); take labels of your own away`,
          )
        : because(
            'VersionQuotaReached',
            `${secretId} has as many versions as Secrets Manager allows (${name}); it removes those without a label when they are a day old: find out what stores so many, and rotate again later`,
          );
    case 'InvalidRequestException':
      return invalidRequest(text, because, call, secretId);
    case 'ValidationException':
    case 'InvalidParameterException':
      if (bytes !== undefined && bytes > longestValue) {
        return because(
          'SecretTooLarge',
          `the new value of ${secretId} would have ${bytes} bytes, and Secrets Manager takes ${longestValue}; move what is no credential elsewhere`,
        );
      }
      if (!possibleId.test(secretId)) {
        return because(
          'SecretNameInvalid',
          `${JSON.stringify(secretId.slice(0, 600))} is no name or ARN of a secret: a name holds letters, digits and -/_+=.@!; correct it where it is written`,
        );
      }
  }
  if (code === 'AccessDenied') {
    const policy = denyingPolicy(text);
    return because(
      'SecretAccessDenied',
      `${call} on ${secretId} is denied to this role${policy === '' ? '' : ` (${policy})`}; its policy, the secret's resource policy, the KMS key's policy and that of a VPC endpoint must all allow it`,
    );
  }
  return awsError(error, { service: 'Secrets Manager', action: call, on: secretId });
}

/** Makes the error of an invalid request. One answer stands for several states of a secret, which only its text tells apart. */
function invalidRequest(
  text: string,
  because: (code: SecretErrorCode, message: string) => SecretError,
  call: string,
  secretId: string,
): SecretError {
  if (/replica/i.test(text)) {
    return because(
      'SecretReadOnly',
      `${call} is not possible: ${secretId} is a replica; work with the secret in its primary region`,
    );
  }
  if (/managed by|owned by|owning service/i.test(text)) {
    return because(
      'SecretReadOnly',
      `${call} is not possible: ${secretId} is managed by another AWS service; change it there`,
    );
  }
  return because(
    'SecretMissing',
    `${call} is not possible for ${secretId} as it stands; it may be scheduled for deletion`,
  );
}
