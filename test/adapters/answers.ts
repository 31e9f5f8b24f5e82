import { SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager';
import { expect } from '@jest/globals';
import { type ErrorCode, isRetryable } from '../../core/errors/codes.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';

export const region = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' },
};

/** What every exception of the SDK is made with; its text is such as AWS's may be. */
export const answer = (httpStatusCode: number, message = 'quoting hunter2') => ({
  message,
  $metadata: { httpStatusCode },
});
/** An error that the SDK has no class for. */
export const unmodelled = (name: string, httpStatusCode: number, message?: string) =>
  new SecretsManagerServiceException({ name, $fault: 'client', ...answer(httpStatusCode, message) });
/** An error of the network, as the SDK passes it on. */
export const network = (code: string) =>
  Object.assign(new Error(`connect ${code}`), { code, $metadata: { attempts: 3, totalRetryDelay: 100 } });

export const failureOf = async (call: Promise<unknown>): Promise<RekeyError> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RekeyError);
  return error as RekeyError;
};
export const expectFailure = (error: RekeyError, code: ErrorCode, text: string | RegExp) => {
  expect(error).toMatchObject({ code, retryable: isRetryable(code) });
  expect(error.message).toMatch(text);
  expect(error.message).not.toContain('hunter2');
};
