import type { LambdaClient } from '@aws-sdk/client-lambda';
import {
  type PlanPreview,
  type PreviewRequest,
  planPreviewSchema,
} from '../../core/deployed/plan-preview.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { PlanPreviews } from '../../core/operator-ports.ts';
import { callFunction } from '../function-call.ts';

/** The function that shows plans, invoked by whoever the caller is. */
export class LambdaPlanPreviews implements PlanPreviews {
  readonly #client: LambdaClient;

  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async preview(functionName: string, request: PreviewRequest): Promise<PlanPreview> {
    const { data } = planPreviewSchema.safeParse(await callFunction(this.#client, functionName, request));
    if (data === undefined) {
      throw new RekeyError(
        'FunctionFailed',
        `the function ${functionName} gave an answer of another form than this version of Rekey knows; use the version that was deployed`,
      );
    }
    return data;
  }
}
