import * as z from 'zod';
import { isErrorCode } from '../errors/codes.ts';
import { RekeyError } from '../errors/rekey-error.ts';

/** Parts of Lambda's answer to an invocation that are looked at. */
export interface InvocationResult {
  readonly FunctionError?: string | undefined;
  readonly Payload?: Uint8Array | undefined;
}

/** Failure of a function, as Lambda hands it on. @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
const failureSchema = z.object({ errorType: z.string(), errorMessage: z.string() }).partial();

/** The end of an invocation: an answer, which is `undefined` where it is no JSON, or a failure. */
export type FunctionAnswer =
  | { readonly answer: unknown }
  | { readonly failure: { readonly type: string; readonly message: string } };

/** Reads how an invocation ended. */
export function functionAnswer({ FunctionError, Payload }: InvocationResult): FunctionAnswer {
  const answer = json(Buffer.from(Payload ?? []).toString('utf8'));
  if (FunctionError === undefined) return { answer };
  const { errorType = '', errorMessage = '' } = failureSchema.safeParse(answer).data ?? {};
  return { failure: { type: errorType, message: errorMessage } };
}

/** Shows the type of a failure where it is a name. Another text may quote what the function was called with. */
export const failureType = (type: string, otherwise: string): string =>
  /^[\w.]+$/.test(type) ? type : otherwise;

/**
 * Makes the error of a failure. A code of Rekey's comes with its text; any other text stays in the function's log, since it may quote
 * what the function was called with.
 */
export const functionFailed = (
  functionName: string,
  { type, message }: { readonly type: string; readonly message: string },
): RekeyError =>
  isErrorCode(type)
    ? new RekeyError(type, message)
    : new RekeyError(
        'FunctionFailed',
        `the function ${functionName} failed (${failureType(type, 'no answer that can be read')}); its log says more`,
      );

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
