import type { LambdaClient } from '@aws-sdk/client-lambda';
import { type LookupAnswer, type LookupRequest, lookupAnswerSchema } from '../core/fingerprint/lookup.ts';
import type { FingerprintService } from '../core/operator-ports.ts';
import { askFunction } from './function-call.ts';

/** The lookup function, invoked under the rights of whoever calls. */
export class LambdaFingerprints implements FingerprintService {
  readonly #client: LambdaClient;

  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async lookUp(functionName: string, request: LookupRequest): Promise<LookupAnswer> {
    return await askFunction(this.#client, functionName, { input: request, schema: lookupAnswerSchema });
  }
}
