import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import {
  type PlanPreview,
  type PreviewRequest,
  planPreviewSchema,
} from '../../core/deployed/plan-preview.ts';
import { isErrorCode } from '../../core/errors/codes.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { PlanPreviews } from '../../core/operator-ports.ts';

/**
 * The function that shows plans, invoked by whoever the caller is.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export class LambdaPlanPreviews implements PlanPreviews {
  readonly #client: LambdaClient;

  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async preview(functionName: string, request: PreviewRequest): Promise<PlanPreview> {
    const { Payload, FunctionError } = await this.#client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }),
    );
    const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString('utf8') || '{}');
    if (FunctionError !== undefined) throw failure(functionName, answer);
    const { data } = planPreviewSchema.safeParse(answer);
    if (data === undefined) {
      throw new RekeyError(
        'FunctionFailed',
        `the function ${functionName} gave an answer of another form than this version of Rekey knows; use the version that was deployed`,
      );
    }
    return data as PlanPreview;
  }
}

/** Makes an error of the one that the function ended with. Rekey's functions end with a code and a text of their own. */
function failure(functionName: string, answer: unknown): RekeyError {
  const { errorType, errorMessage } = answer as { errorType?: unknown; errorMessage?: unknown };
  return typeof errorType === 'string' && isErrorCode(errorType)
    ? new RekeyError(errorType, String(errorMessage))
    : new RekeyError(
        'FunctionFailed',
        `the function ${functionName} ended before it could answer; its log says why, and the call may be made again`,
      );
}
