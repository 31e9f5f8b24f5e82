import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { ContainmentInput, ContainOutcome } from '../core/deployed/revocation-state.ts';
import { isErrorCode } from '../core/errors/codes.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { called } from './aws-error.ts';
import { jsonOf } from './json.ts';

/** Failure of a function, as Lambda hands it on. @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
const failureSchema = z.object({ errorType: z.string(), errorMessage: z.string() });

const outcomeSchema = z.object({
  containments: z.array(
    z.object({
      versionIds: z.array(z.string()),
      identity: z.string(),
      loginsRefused: z.boolean(),
      sessionsEnded: z.number(),
      note: z.string().optional(),
    }),
  ),
  refusedAt: z.iso.datetime().optional(),
});

/**
 * Makes calls of containment functions, by their names.
 *
 * @throws RekeyError with the code of the function, or `FunctionFailed` where it ended without one
 */
export const containmentBy =
  (client: LambdaClient) =>
  async (functionName: string, input: ContainmentInput): Promise<ContainOutcome> => {
    const { FunctionError, Payload } = await called(
      { service: 'Lambda', action: 'lambda:InvokeFunction', on: functionName },
      client.send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(input) })),
    );
    const answer = jsonOf(Payload?.transformToString());
    const outcome = outcomeSchema.safeParse(answer);
    if (FunctionError === undefined && outcome.success) {
      const { containments, refusedAt } = outcome.data;
      return {
        containments: containments.map(({ note, ...rest }) => ({
          ...rest,
          ...(note !== undefined && { note }),
        })),
        ...(refusedAt !== undefined && { refusedAt }),
      };
    }
    const { errorType = '', errorMessage = '' } = failureSchema.safeParse(answer).data ?? {};
    if (isErrorCode(errorType)) throw new RekeyError(errorType, errorMessage);
    throw new RekeyError(
      'FunctionFailed',
      `the function ${functionName} failed (${/^[\w.]+$/.test(errorType) ? errorType : 'no answer that can be read'}); its log says more`,
    );
  };
