import type { LambdaClient } from '@aws-sdk/client-lambda';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { type LookupAnswer, type LookupRequest, lookupAnswerSchema } from '../core/fingerprint/lookup.ts';
import type { FingerprintService } from '../core/operator-ports.ts';
import { callFunction } from './function-call.ts';

/** The lookup function, invoked under the rights of whoever calls. */
export class LambdaFingerprints implements FingerprintService {
  readonly #client: LambdaClient;

  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async lookUp(functionName: string, request: LookupRequest): Promise<LookupAnswer> {
    const { data } = lookupAnswerSchema.safeParse(await callFunction(this.#client, functionName, request));
    if (data === undefined) {
      throw new RekeyError(
        'FunctionFailed',
        `the function ${functionName} gave an answer of another form than this version of Rekey knows; use the version that was deployed`,
      );
    }
    return data;
  }
}
