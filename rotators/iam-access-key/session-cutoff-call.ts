import { InvokeCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { isTargetErrorCode, TargetError, type TargetErrorCode } from '../../core/errors/rekey-error.ts';
import { answered, type SessionCutoff, within } from './aws.ts';
import { type CutoffRequest, cutoffAnswerSchema } from './session-cutoff.ts';

/** Failure of a function, as Lambda hands it on. @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
const failureSchema = z.object({ errorType: z.string(), errorMessage: z.string() });

/**
 * Makes a cutoff that ends sessions by the function that may. The caller itself writes no policy.
 *
 * @example
 * createIamAccessKey({ cutoff: cutoffBy('rekey-prod-rotation-SessionCutoff-1A2B3C') });
 */
export function cutoffBy(functionName: string, config: LambdaClientConfig = {}): SessionCutoff {
  // Twice is the same as once, so the SDK may try again.
  const lambda = new LambdaClient({ ...config, maxAttempts: 3 });
  return async ({ username, accessKeyId, before, unlessKnown }, context) => {
    const where = `IAM user "${username}"`;
    const request: CutoffRequest = { username, accessKeyId, before: before.toISOString(), unlessKnown };
    const command = new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) });
    const { FunctionError, Payload } = await answered(lambda.send(command, within(context)), {
      where,
      doing: `end its sessions by the function ${functionName}`,
      action: 'lambda:InvokeFunction',
      on: `the function ${functionName}`,
    });
    const answer = parseJson(Payload?.transformToString() ?? '');
    if (FunctionError !== undefined) throw failure(answer, `${where}: its sessions go on`, functionName);
    const parsed = cutoffAnswerSchema.safeParse(answer);
    if (!parsed.success) {
      throw new TargetError(
        'TargetRefused',
        `${where}: the function ${functionName} gave no answer that can be read; is it Rekey's?`,
      );
    }
    return parsed.data.before === null ? undefined : new Date(parsed.data.before);
  };
}

/** Makes the error of a function that failed. Its text is Rekey's own where its code is; Lambda's stays out. */
function failure(answer: unknown, what: string, functionName: string): TargetError {
  const parsed = failureSchema.safeParse(answer);
  const { errorType = 'unknown', errorMessage = '' } = parsed.data ?? {};
  if (isTargetErrorCode(errorType)) return new TargetError(errorType, errorMessage);
  if (errorType === 'SessionCutoffInvalid') return new TargetError('TargetRefused', errorMessage);
  // Out of time or of memory, or stopped: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
  const code: TargetErrorCode = /^(?:Sandbox|Runtime)\./.test(errorType) ? 'TargetTimeout' : 'TargetRefused';
  return new TargetError(
    code,
    `${what}: the function ${functionName} failed (${/^[\w.]+$/.test(errorType) ? errorType : 'unknown'}); its log says more`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
