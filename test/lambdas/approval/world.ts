import { systemRandom } from '../../../adapters/system.ts';
import { personOf } from '../../../core/approval/person.ts';
import type { ApprovalRequest, Decision } from '../../../core/approval/request.ts';
import type { Announcement, ApprovalRecord, ApprovalStore, Author } from '../../../core/approval/store.ts';
import type { AnyEvent } from '../../../core/events/catalogue.ts';
import type { AnswerDependencies } from '../../../lambdas/approval/answer.ts';
import type { WaitInput } from '../../../lambdas/approval/wait.ts';

export const account = '111122223333';
export const requestId = '0195a000-0000-7000-8000-000000000001';
export const arnOf = (session: string, role = 'approver') =>
  `arn:aws:sts::${account}:assumed-role/${role}/${session}`;
export const author = personOf({ account, arn: arnOf('alice', 'responder') });

/** The table in memory, with the conditions of the real one. */
class MemoryApprovals implements ApprovalStore {
  readonly authors = new Map<string, Author>();
  readonly items = new Map<
    string,
    {
      request: ApprovalRequest;
      decision?: Decision;
      token: string;
      announced: Set<Announcement>;
      invited: Set<string>;
    }
  >();
  /** Every decision that was written; a second one of a request would be a fault. */
  readonly decided: Decision[] = [];

  async noteAuthor(id: string, given: Author): Promise<Author> {
    const kept = this.authors.get(id) ?? given;
    this.authors.set(id, kept);
    return kept;
  }

  async author(id: string): Promise<Author | undefined> {
    return this.authors.get(id);
  }

  async wait(request: ApprovalRequest, token: string): Promise<ApprovalRecord> {
    const item = this.items.get(request.id) ?? { request, token, announced: new Set(), invited: new Set() };
    item.token = token;
    this.items.set(request.id, item);
    return this.#copy(item);
  }

  async find(id: string): Promise<ApprovalRecord | undefined> {
    const item = this.items.get(id);
    return item && this.#copy(item);
  }

  async list(): Promise<readonly ApprovalRecord[]> {
    return [...this.items.values()].map((item) => this.#copy(item));
  }

  async decide(id: string, decision: Decision): Promise<ApprovalRecord | undefined> {
    const item = this.items.get(id);
    if (item === undefined || item.decision !== undefined) return undefined;
    const inTime =
      decision.outcome === 'expired'
        ? item.request.expiresAt <= decision.at
        : item.request.expiresAt > decision.at;
    if (!inTime) return undefined;
    item.decision = decision;
    this.decided.push(decision);
    return this.#copy(item);
  }

  async noteAnnounced(id: string, what: Announcement): Promise<void> {
    this.items.get(id)?.announced.add(what);
  }

  async noteInvited(id: string, name: string): Promise<void> {
    this.items.get(id)?.invited.add(name);
  }

  #copy({
    request,
    decision,
    token,
    announced,
    invited,
  }: NonNullable<ReturnType<typeof this.items.get>>): ApprovalRecord {
    return {
      request,
      token,
      announced: new Set(announced),
      invited: new Set(invited),
      ...(decision !== undefined && { decision }),
    };
  }
}

/** One request, its workflow, the bus, STS and the clock, all in memory. */
export class ApprovalWorld {
  readonly store = new MemoryApprovals();
  readonly events: AnyEvent[] = [];
  /** Token of the step that waits; undefined while none does. */
  waiting: string | undefined;
  /** What workflows went on with. */
  readonly completed: object[] = [];
  now = Date.parse('2026-03-01T12:00:00.000Z');
  /** Calls that succeed before the process is killed at the next one. */
  callsLeft = Number.POSITIVE_INFINITY;
  approvers: string[] = [];
  /** Who STS says has signed. */
  signer = { account, arn: arnOf('bob') };
  /** Headers that STS was sent. */
  readonly sent: Readonly<Record<string, string>>[] = [];
  #rounds = 0;
  readonly #clock = { now: () => new Date(this.now) };

  /** Counts a call, and ends the process at some. A call may have done its work or not. */
  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.callsLeft <= 0) throw new Error('killed');
    const half = this.callsLeft < 1;
    this.callsLeft -= 1;
    const result = await work();
    if (half) throw new Error('killed after the call');
    return result;
  }

  dependencies(): AnswerDependencies {
    const { store } = this;
    const call =
      <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
      (...args: A) =>
        this.#call(() => work.apply(store, args));
    return {
      store: {
        noteAuthor: call(store.noteAuthor),
        author: call(store.author),
        wait: call(store.wait),
        find: call(store.find),
        list: call(store.list),
        decide: call(store.decide),
        noteAnnounced: call(store.noteAnnounced),
        noteInvited: call(store.noteInvited),
      },
      tasks: {
        complete: (token, output) =>
          this.#call(async () => {
            if (token !== this.waiting) return 'gone';
            this.waiting = undefined;
            this.completed.push(output);
            return 'completed';
          }),
      },
      bus: () => ({ publish: (events) => this.#call(async () => void this.events.push(...events)) }),
      origin: {
        source: 'rekey.approval',
        environment: 'test',
        actor: 'test',
        clock: this.#clock,
        random: systemRandom,
      },
      approvers: this.approvers,
      identities: {
        whoSigned: async (headers) => {
          this.sent.push(headers);
          return this.signer;
        },
      },
      roles: {
        list: async (what) => [
          `arn:aws:iam::${account}:role/${what === 'ask' ? 'responder' : 'path/approver'}`,
        ],
      },
      place: { environment: 'test', account, region: 'eu-central-1' },
      clock: this.#clock,
    };
  }

  /** Input of a round of the step, which the workflow waits in from then on, unless it went on already. */
  round(): WaitInput {
    this.#rounds += 1;
    if (this.completed.length === 0) this.waiting = `token-${this.#rounds}`;
    return {
      id: requestId,
      correlationId: 'incident-7',
      operation: 'revocation',
      subject: '/prod/orders/db',
      act: 'replace',
      author,
      reason: 'laptop lost',
      taskToken: `token-${this.#rounds}`,
    };
  }

  /** What was recorded: an id that came twice is one fact. */
  recorded(): string[] {
    const facts = new Map(this.events.map((event) => [event.detail.metadata.id, event.detailType]));
    return [...facts.values()];
  }
}
