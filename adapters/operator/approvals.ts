import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { ApprovalFacts } from '../../core/approval/deployed.ts';
import { bindingOf, type Deed, type IdentityProof } from '../../core/approval/proof.ts';
import type { ApprovalSummary } from '../../core/approval/store.ts';
import { isErrorCode } from '../../core/errors/codes.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { OperatorApprovals } from '../../core/operator-ports.ts';
import { callFunction } from '../function-call.ts';
import { signIdentity } from './identity-proof.ts';

/** Parts of a function's answer that are looked at. */
interface Answer {
  readonly requests?: readonly ApprovalSummary[];
  readonly author?: { readonly name: string; readonly arn: string };
  readonly refused?: { readonly code: string; readonly message: string };
}

/** The functions that show requests for approval, and take answers. */
export class LambdaApprovals implements OperatorApprovals {
  readonly #client: LambdaClient;
  readonly #environment: string;
  readonly #facts: ApprovalFacts;

  constructor(client: LambdaClient, environment: string, facts: ApprovalFacts) {
    this.#client = client;
    this.#environment = environment;
    this.#facts = facts;
  }

  async ask(requestId: string, digest: string): Promise<{ readonly name: string; readonly arn: string }> {
    const { desk } = this.#facts;
    const proof = await this.#proof(desk, { act: 'ask', requestId, digest });
    const { author } = await this.#invoke(desk, { action: 'ask', requestId, digest, proof });
    if (author === undefined) throw misunderstood(desk);
    return author;
  }

  async list(): Promise<readonly ApprovalSummary[]> {
    const { desk } = this.#facts;
    const { requests } = await this.#invoke(desk, { action: 'list' });
    if (requests === undefined) throw misunderstood(desk);
    return requests;
  }

  async show(requestId: string): Promise<ApprovalSummary> {
    const { desk } = this.#facts;
    const { requests: [request] = [] } = await this.#invoke(desk, { action: 'show', requestId });
    if (request === undefined) throw misunderstood(desk);
    return request;
  }

  async answer(requestId: string, outcome: 'granted' | 'refused', reason?: string): Promise<ApprovalSummary> {
    const { answers } = this.#facts;
    const proof = await this.#proof(answers, { act: 'answer', requestId, outcome, reason });
    const given = { requestId, outcome, ...(reason !== undefined && { reason }), proof };
    return (await this.#invoke(answers, given)) as unknown as ApprovalSummary;
  }

  /** Signs who the caller is, for STS in the region of the function that will ask it. */
  async #proof(functionArn: string, deed: Deed): Promise<IdentityProof> {
    const [, , , region = '', account = ''] = functionArn.split(':');
    const binding = bindingOf({ environment: this.#environment, account }, deed);
    return await signIdentity(await this.#client.config.credentials(), region, binding);
  }

  async #invoke(functionArn: string, input: object): Promise<Answer> {
    const answer = (await callFunction(this.#client, functionArn, input)) as Answer | null | undefined;
    if (answer?.refused !== undefined) throw refused(answer.refused);
    if (answer === null || answer === undefined) throw misunderstood(functionArn);
    return answer;
  }
}

/** Makes the error that the function answered with; its code is of another version where it is not known. */
const refused = ({ code, message }: NonNullable<Answer['refused']>): RekeyError =>
  new RekeyError(isErrorCode(code) ? code : 'FunctionFailed', message);

const misunderstood = (functionArn: string): RekeyError =>
  new RekeyError(
    'FunctionFailed',
    `${functionArn} gave another answer than was asked for: bring the CLI up to date`,
  );
