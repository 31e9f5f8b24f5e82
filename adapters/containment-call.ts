import type { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { functionFailed } from '../core/deployed/function-answer.ts';
import type { ContainmentInput, ContainOutcome } from '../core/deployed/revocation-state.ts';
import { callFunction } from './function-call.ts';

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
    const { data } = outcomeSchema.safeParse(await callFunction(client, functionName, input));
    if (data === undefined) throw functionFailed(functionName, { type: '', message: '' });
    const { containments, refusedAt } = data;
    return {
      containments: containments.map(({ note, ...rest }) => ({
        ...rest,
        ...(note !== undefined && { note }),
      })),
      ...(refusedAt !== undefined && { refusedAt }),
    };
  };
