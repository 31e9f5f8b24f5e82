import { InvokeCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { failureType, functionAnswer } from '../../core/deployed/function-answer.ts';
import { isTargetErrorCode, TargetError, type TargetErrorCode } from '../../core/errors/rekey-error.ts';
import { answered, type SessionCutoff, within } from './aws.ts';
import { type CutoffRequest, cutoffAnswerSchema } from './session-cutoff.ts';

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
    const result = await answered(lambda.send(command, within(context)), {
      where,
      doing: `end its sessions by the function ${functionName}`,
      action: 'lambda:InvokeFunction',
      on: `the function ${functionName}`,
    });
    const ended = functionAnswer(result);
    if ('failure' in ended) throw failed(ended.failure, `${where}: its sessions go on`, functionName);
    const parsed = cutoffAnswerSchema.safeParse(ended.answer);
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
function failed(
  { type, message }: { readonly type: string; readonly message: string },
  what: string,
  functionName: string,
): TargetError {
  if (isTargetErrorCode(type)) return new TargetError(type, message);
  if (type === 'SessionCutoffInvalid') return new TargetError('TargetRefused', message);
  // Out of time or of memory, or stopped: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
  const code: TargetErrorCode = /^(?:Sandbox|Runtime)\./.test(type) ? 'TargetTimeout' : 'TargetRefused';
  return new TargetError(
    code,
    `${what}: the function ${functionName} failed (${failureType(type, 'unknown')}); its log says more`,
  );
}
