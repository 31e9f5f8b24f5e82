import { createServer } from 'node:net';
import {
  DecryptionFailure,
  DescribeSecretCommand,
  EncryptionFailure,
  GetSecretValueCommand,
  InternalServiceError,
  InvalidParameterException,
  InvalidRequestException,
  LimitExceededException,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import type { ErrorCode } from '../../core/errors/codes.ts';
import { answer, expectFailure, failureOf, network, region, unmodelled } from './answers.ts';

const secrets = mockClient(SecretsManagerClient);
afterEach(() => {
  secrets.reset();
});

const secretId = '/prod/orders';
const store = new SecretsManagerStore(new SecretsManagerClient(region));

describe('what Secrets Manager answers', () => {
  test.each<[string, Error, ErrorCode, boolean, RegExp]>([
    [
      'the key is disabled',
      new DecryptionFailure(answer(400)),
      'SecretKeyUnusable',
      false,
      /KMS key of \/prod\/orders .*enable the key/,
    ],
    [
      'there is no such secret',
      unmodelled('AccessDeniedException', 400),
      'SecretAccessDenied',
      false,
      /secretsmanager:GetSecretValue on \/prod\/orders/,
    ],
    [
      'the key denies it',
      unmodelled('AccessDeniedException', 400, 'Access to KMS is not allowed'),
      'SecretAccessDenied',
      false,
      /policy of the KMS key/,
    ],
    [
      'the endpoint denies it',
      unmodelled('AccessDeniedException', 400, 'hunter2 because no VPC endpoint policy allows it'),
      'SecretAccessDenied',
      false,
      /no VPC endpoint policy allows it/,
    ],
    [
      'it will be deleted',
      new InvalidRequestException(
        answer(400, "You can't perform this operation on the secret because it was marked for deletion."),
      ),
      'SecretMissing',
      false,
      /scheduled for deletion/,
    ],
    [
      'it failed itself',
      new InternalServiceError(answer(500)),
      'ServiceUnavailable',
      true,
      /Secrets Manager: secretsmanager:GetSecretValue on \/prod\/orders failed \(InternalServiceError\)/,
    ],
    ['it is throttling', unmodelled('ThrottlingException', 400), 'Throttled', true, /is throttled/],
    [
      'a parameter is invalid',
      new InvalidParameterException(answer(400)),
      'CallInvalid',
      false,
      /InvalidParameterException/,
    ],
    [
      'the token has expired',
      unmodelled('ExpiredTokenException', 400),
      'CredentialsExpired',
      false,
      /expired/,
    ],
    [
      'the key of the role is unknown',
      unmodelled('UnrecognizedClientException', 400),
      'CredentialsInvalid',
      false,
      /credentials/,
    ],
    [
      'the clock is wrong',
      unmodelled('InvalidSignatureException', 400, 'Signature expired: 2026…'),
      'ClockWrong',
      false,
      /clock/,
    ],
    [
      'its name is not resolved',
      network('ENOTFOUND'),
      'Unreachable',
      true,
      /ENOTFOUND.*VPC there must be an endpoint of this service or a NAT gateway/,
    ],
    ['nothing listens', network('ECONNREFUSED'), 'Unreachable', true, /ECONNREFUSED/],
    [
      'no answer in time',
      Object.assign(network('x'), { name: 'TimeoutError' }),
      'Unreachable',
      true,
      /TimeoutError/,
    ],
    [
      'something is in between',
      network('SELF_SIGNED_CERT_IN_CHAIN'),
      'EndpointUntrusted',
      false,
      /certificate/,
    ],
    ['what nobody has seen yet', unmodelled('NovelException', 400), 'CallRefused', false, /NovelException/],
  ])('%s', async (_, error, code, retryable, text) => {
    secrets.on(GetSecretValueCommand).rejects(error);
    const failure = await failureOf(store.read(secretId, { stage: 'AWSCURRENT' }));
    expectFailure(failure, code, text);
    expect(failure.retryable).toBe(retryable);
  });

  const put = (value: string, id = secretId) => store.putPending(id, 'version', value);
  const invalid = unmodelled(
    'ValidationException',
    400,
    "Value at 'secretString' failed to satisfy constraint: hunter2",
  );

  test.each<[string, Error, string, string, ErrorCode, boolean, RegExp]>([
    [
      'the key is disabled',
      new EncryptionFailure(answer(400)),
      'x',
      secretId,
      'SecretKeyUnusable',
      false,
      /enable the key/,
    ],
    [
      '64 KiB are exceeded',
      invalid,
      'ü'.repeat(32_769),
      secretId,
      'SecretTooLarge',
      false,
      /65538 bytes, and Secrets Manager takes 65536/,
    ],
    [
      'what has room is invalid for another reason',
      invalid,
      'x'.repeat(65_536),
      secretId,
      'CallInvalid',
      false,
      /ValidationException/,
    ],
    ['the name is none', invalid, 'x', 'no name', 'SecretNameInvalid', false, /"no name" is no name/],
    [
      'a colon is in the name',
      invalid,
      'x',
      'orders:db',
      'SecretNameInvalid',
      false,
      /"orders:db" is no name/,
    ],
    [
      'the ARN is cut off',
      invalid,
      'x',
      'arn:aws:secretsmanager:eu-central-1:1:secret',
      'SecretNameInvalid',
      false,
      /is no name/,
    ],
    ['the name is too long', invalid, 'x', 'x'.repeat(513), 'SecretNameInvalid', false, /is no name/],
    [
      'too many versions',
      new LimitExceededException(answer(400)),
      'x',
      secretId,
      'VersionQuotaReached',
      true,
      /a day old/,
    ],
    [
      'it is a replica',
      new InvalidRequestException(answer(400, 'Operation not permitted on a replica secret. hunter2')),
      'x',
      secretId,
      'SecretReadOnly',
      false,
      /primary region/,
    ],
    [
      'a service manages it',
      new InvalidRequestException(answer(400, 'The secret is managed by another service: hunter2')),
      'x',
      secretId,
      'SecretReadOnly',
      false,
      /managed by another AWS service/,
    ],
    [
      'it is gone',
      new ResourceNotFoundException(answer(400)),
      'x',
      secretId,
      'SecretMissing',
      false,
      /does not exist/,
    ],
  ])('to a new version: %s', async (_, error, value, id, code, retryable, text) => {
    secrets.on(PutSecretValueCommand).rejects(error);
    const failure = await failureOf(put(value, id));
    expectFailure(failure, code, text);
    expect(failure.retryable).toBe(retryable);
  });

  test('to a move of the label and to a tag', async () => {
    secrets.on(UpdateSecretVersionStageCommand).rejects(new LimitExceededException(answer(400)));
    secrets.on(TagResourceCommand).rejects(new InternalServiceError(answer(500)));
    secrets.on(DescribeSecretCommand).rejects(unmodelled('ThrottlingException', 400));
    expectFailure(
      await failureOf(store.moveCurrent(secretId, { to: 'b', from: 'a' })),
      'LabelQuotaReached',
      /labels/,
    );
    expectFailure(await failureOf(store.tag(secretId, 'k', 'v')), 'ServiceUnavailable', /TagResource/);
    expectFailure(await failureOf(store.describe(secretId)), 'Throttled', /DescribeSecret/);
  });
});

describe('a network without a way to AWS', () => {
  const clientTo = (port: number) =>
    new SecretsManagerStore(
      new SecretsManagerClient({
        ...region,
        endpoint: `http://127.0.0.1:${port}`,
        maxAttempts: 1,
        requestHandler: { connectionTimeout: 100, requestTimeout: 100, throwOnRequestTimeout: true },
      }),
    );

  test('nothing listens, and something that never answers', async () => {
    secrets.restore();
    const server = createServer(() => undefined);
    try {
      const port = await new Promise<number>((resolve) => {
        server.listen(0, '127.0.0.1', () => {
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : 0);
        });
      });
      expectFailure(
        await failureOf(clientTo(port).describe(secretId)),
        'Unreachable',
        /TimeoutError.*NAT gateway/,
      );
    } finally {
      server.close();
    }
    expectFailure(
      await failureOf(clientTo(1).describe(secretId)),
      'Unreachable',
      /ECONNREFUSED.*NAT gateway/,
    );
  });
});
