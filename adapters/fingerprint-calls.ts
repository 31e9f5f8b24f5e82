import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { isErrorCode } from '../core/errors/codes.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { type LookupAnswer, type LookupRequest, lookupAnswerSchema } from '../core/fingerprint/lookup.ts';
import type { FingerprintService } from '../core/operator-ports.ts';

/**
 * The lookup function, invoked under the rights of whoever calls.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export class LambdaFingerprints implements FingerprintService {
  readonly #client: LambdaClient;

  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async lookUp(functionName: string, request: LookupRequest): Promise<LookupAnswer> {
    const { Payload, FunctionError } = await this.#client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }),
    );
    const answer = parsed(Payload);
    if (FunctionError !== undefined) throw failure(functionName, answer);
    const { data } = lookupAnswerSchema.safeParse(answer);
    if (data === undefined) {
      throw new RekeyError(
        'FunctionFailed',
        `the function ${functionName} gave an answer of another form than this version of Rekey knows; use the version that was deployed`,
      );
    }
    return data;
  }
}

/** Makes an error of the one that the function ended with. Rekey's functions end with a code and a text of their own. */
function failure(functionName: string, answer: unknown): RekeyError {
  const { errorType, errorMessage } = answer as { errorType?: unknown; errorMessage?: unknown };
  if (typeof errorType === 'string' && isErrorCode(errorType)) {
    return new RekeyError(errorType, `${functionName}: ${String(errorMessage)}`);
  }
  return new RekeyError(
    'FunctionFailed',
    `the function ${functionName} ended before it could answer; its log says why, and the call may be made again`,
  );
}

function parsed(payload: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(payload ?? []).toString('utf8'));
  } catch {
    return {};
  }
}
