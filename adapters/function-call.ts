import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { functionAnswer, functionFailed } from '../core/deployed/function-answer.ts';
import { called } from './aws-error.ts';

/**
 * Invokes a function, and waits for its answer.
 * @returns the answer as it was given; `undefined` where it is no JSON
 * @throws RekeyError with the code of the function, `FunctionFailed` where it ended without one, or as AWS answers
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function callFunction(
  client: LambdaClient,
  functionName: string,
  input: object,
): Promise<unknown> {
  const invoke = new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(input) });
  const call = { service: 'Lambda', action: 'lambda:InvokeFunction', on: functionName };
  const ended = functionAnswer(await called(call, client.send(invoke)));
  if ('failure' in ended) throw functionFailed(functionName, ended.failure);
  return ended.answer;
}
