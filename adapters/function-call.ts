import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { ZodType } from 'zod';
import { functionAnswer, functionFailed } from '../core/deployed/function-answer.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
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

/**
 * Asks a function, whose answer must be of the form that this version knows.
 * @throws RekeyError `FunctionFailed` where it is of another form, or whatever {@link callFunction} throws
 */
export async function askFunction<T>(
  client: LambdaClient,
  functionName: string,
  { input, schema }: { readonly input: object; readonly schema: ZodType<T> },
): Promise<T> {
  const { success, data } = schema.safeParse(await callFunction(client, functionName, input));
  if (success) return data;
  throw new RekeyError(
    'FunctionFailed',
    `the function ${functionName} gave an answer of another form than this version of Rekey knows; use the version that was deployed`,
  );
}
