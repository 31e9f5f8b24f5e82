import type { CallerIdentity, Person } from './person.ts';
import type { ApprovalOperation, ApprovalRequest, Decision } from './request.ts';

/** Announcements about a request; each is made once it is due, and noted when it was made. */
export const announcements = ['requested', 'escalated', 'decided'] as const;
export type Announcement = (typeof announcements)[number];

/** A request with what has become of it. */
export interface ApprovalRecord {
  readonly request: ApprovalRequest;
  readonly decision?: Decision;
  readonly announced: ReadonlySet<Announcement>;
  /** Names of those who were sent a link. */
  readonly invited: ReadonlySet<string>;
  /** Token of the workflow's step that waits. Whoever has it can go on in its place, so it stays in the store. */
  readonly token?: string;
}

/** The proven author of a request, and what was asked for. */
export interface Author {
  readonly person: Person;
  readonly digest: string;
}

/** The requests that wait, in one place. Each method is one call, and whatever it decides it decides there. */
export interface ApprovalStore {
  /** Notes who asks, before the request is sent. The first note of an id stays. @returns the one that stays */
  noteAuthor(requestId: string, author: Author, until: Date): Promise<Author>;
  author(requestId: string): Promise<Author | undefined>;
  /** Keeps the request as it was first given, and the latest token. @returns the record behind that write */
  wait(request: ApprovalRequest, token: string): Promise<ApprovalRecord>;
  find(requestId: string): Promise<ApprovalRecord | undefined>;
  /** Lists the records that are kept, in no order. */
  list(): Promise<readonly ApprovalRecord[]>;
  /**
   * Notes the decision, unless there is one. An answer is noted before the time limit alone, and the expiry after it alone.
   * @returns the record behind the write; undefined where nothing was written
   */
  decide(requestId: string, decision: Decision): Promise<ApprovalRecord | undefined>;
  /** Notes that something was announced. */
  noteAnnounced(requestId: string, what: Announcement): Promise<void>;
  /** Notes that a person was sent a link. */
  noteInvited(requestId: string, name: string): Promise<void>;
}

/** A mail of plain text to one person. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** The way of mails to people. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
}

/** The steps of workflows that wait. */
export interface WaitingTasks {
  /** Has a step go on. @returns `gone` where it does not wait any more: it ran out, or went on already */
  complete(token: string, output: object): Promise<'completed' | 'gone'>;
}

/** The knowledge of STS, which tells callers by their signatures. */
export interface Identities {
  /** Sends a signed request. @throws RekeyError `IdentityUnproven` where STS refuses it */
  whoSigned(headers: Readonly<Record<string, string>>): Promise<CallerIdentity>;
}

/** The roles whose sessions may ask, or answer, by their ARNs. */
export interface PermittedRoles {
  list(what: 'ask' | 'answer'): Promise<readonly string[]>;
}

/** A summary of a request, as people are shown it. It holds no token. */
export interface ApprovalSummary {
  readonly id: string;
  readonly operation: ApprovalOperation;
  readonly subject: string;
  readonly act: string;
  readonly author: string;
  readonly reason: string;
  readonly state: string;
  readonly requestedAt: string;
  readonly escalatesAt?: string;
  readonly expiresAt: string;
  readonly onExpiry: string;
  /** Names of those who may answer; empty for everybody whom a role lets. */
  readonly approvers: readonly string[];
  readonly decision?: Decision;
}
