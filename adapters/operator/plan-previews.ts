import type { LambdaClient } from '@aws-sdk/client-lambda';
import {
  type PlanPreview,
  type PreviewRequest,
  planPreviewSchema,
} from '../../core/deployed/plan-preview.ts';
import type { PlanPreviews } from '../../core/operator-ports.ts';
import { askFunction } from '../function-call.ts';

/** The function that shows plans, invoked by whoever the caller is. */
export class LambdaPlanPreviews implements PlanPreviews {
  readonly #client: LambdaClient;

  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async preview(functionName: string, request: PreviewRequest): Promise<PlanPreview> {
    return await askFunction(this.#client, functionName, { input: request, schema: planPreviewSchema });
  }
}
