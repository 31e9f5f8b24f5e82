import type { Member } from '../deployed/members.ts';
import type { PlanPreview, PreviewRequest } from '../deployed/plan-preview.ts';
import type { ReportedError } from '../errors/rekey-error.ts';
import type { RekeyEvent } from '../events/catalogue.ts';
import type { MemberAnswer } from './members.ts';

/** The place where plans are kept, as texts by their keys. */
export interface PlanStore {
  /** Keeps a text unless there is one already. @returns the text that is kept */
  keepFirst(key: string, text: string): Promise<string>;
  /** Reads a text; undefined where there is none. */
  read(key: string): Promise<string | undefined>;
}

/** The outcome for one secret of a plan. */
export interface SecretOutcome {
  readonly secretName: string;
  readonly outcome: 'succeeded' | 'unproven' | 'failed';
  /** Time at which its leaked credentials were seen to be refused. */
  readonly refusedAt?: string;
  /** Code of the error of one that failed. */
  readonly error?: string;
}

/** Outcomes for the secrets of plans. */
export interface OutcomeStore {
  /** Notes an outcome. Noted again, the later one counts. */
  note(requestId: string, outcome: SecretOutcome): Promise<void>;
  list(requestId: string): Promise<readonly SecretOutcome[]>;
}

/** The question for the plans of members. */
export type MemberQuestion = Pick<PreviewRequest, 'select' | 'mode' | 'chain'> & {
  readonly members: readonly Member[];
};

/** The way from a plan to the members, which are asked at the same time. */
export interface MemberPlans {
  /** Members that a request may be about. */
  readonly members: readonly Member[];
  /** Asks members for their parts. One that cannot be asked answers so, and holds up none of the others. */
  ask(question: MemberQuestion): Promise<readonly MemberAnswer[]>;
}

/** The progress of a member with a request that was sent to it. */
export type MemberProgress =
  | { readonly state: 'unknown' | 'under way' }
  | { readonly state: 'rejected'; readonly error: ReportedError }
  | {
      readonly state: 'ended';
      /** Tasks that its plan leaves to people there; absent where its workflow says nothing of them. */
      readonly openTasks?: number;
      /** True where its workflow says that all was proven. */
      readonly proven: boolean;
      readonly outcomes: readonly SecretOutcome[];
    };

/** The members themselves, each reached by the role that it has for its coordinator. */
export interface MemberEnvironments {
  /** Asks for the plan of a part. @throws RekeyError with the code that the member would reject the request with */
  preview(member: Member, request: PreviewRequest): Promise<PlanPreview>;
  /** Puts a request on the member's bus. */
  send(member: Member, event: RekeyEvent<'Secret Revocation Requested'>): Promise<void>;
  /** Looks how far a request is. @param since - time before which it was not sent */
  progress(member: Member, requestId: string, since: Date): Promise<MemberProgress>;
}
