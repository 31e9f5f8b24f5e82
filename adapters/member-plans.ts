import type { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { Member } from '../core/deployed/members.ts';
import type { MemberAnswer } from '../core/revocation/members.ts';
import { plannedMemberSchema } from '../core/revocation/plan.ts';
import type { MemberPlans, MemberQuestion } from '../core/revocation/ports.ts';
import { askFunction } from './function-call.ts';

const answersSchema = z.array(plannedMemberSchema.extend({ unknown: z.array(z.string()) }));

/** The members of an environment, asked through the one function that may reach them. */
export class LambdaMemberPlans implements MemberPlans {
  readonly members: readonly Member[];
  readonly #client: LambdaClient;
  readonly #functionName: string;

  constructor(client: LambdaClient, functionName: string, members: readonly Member[]) {
    this.#client = client;
    this.#functionName = functionName;
    this.members = members;
  }

  async ask({ members, ...question }: MemberQuestion): Promise<readonly MemberAnswer[]> {
    const input = { action: 'ask', question: { ...question, members: members.map(({ name }) => name) } };
    return await askFunction(this.#client, this.#functionName, { input, schema: answersSchema });
  }
}
