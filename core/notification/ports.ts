import type { Held } from './digest.ts';
import type { Incident } from './incident.ts';
import type { Outgoing, ReceiverAnswer } from './vendors/vendor.ts';

/** An incident, and the number of its version for a compare-and-swap. */
export interface KeptIncident {
  readonly incident: Incident;
  readonly version: number;
}

/** The memory of the notifier. Each call may be made again with the same arguments, and is then the same as once. */
export interface NotificationMemory {
  /**
   * Claims a message for a channel, for some time.
   * @returns `done` when it was sent or held before; `taken` when another call is at it right now
   */
  claim(channel: string, id: string, now: Date): Promise<'mine' | 'done' | 'taken'>;
  /** Notes that the message was sent. */
  sent(channel: string, id: string, now: Date): Promise<void>;
  /** Gives a claim back after a failure, so that the next attempt need not wait. */
  unclaim(channel: string, id: string): Promise<void>;
  /** Keeps a message for a digest, and notes that it is done. */
  hold(channel: string, held: Held, due: Date, now: Date): Promise<void>;
  /** Lists messages whose digest is due, at most so many. */
  due(channel: string, now: Date, limit: number): Promise<readonly HeldEntry[]>;
  /** Forgets messages that a digest has told of. */
  forget(channel: string, entries: readonly HeldEntry[]): Promise<void>;
  /** Takes a place in a count. One who has a place keeps it. @returns false when it is full */
  take(bucket: string, taker: string, limit: number, until: Date): Promise<boolean>;
  /** Notes that a receiver wants nothing before a time. */
  pause(channel: string, until: Date): Promise<void>;
  /** Tells until when a receiver wants nothing. */
  pausedUntil(channel: string): Promise<Date | undefined>;
  incident(id: string): Promise<KeptIncident | undefined>;
  /**
   * Puts an incident in the place of the version that was read, with the time of its next step.
   * @param version - 0 where there was none
   * @returns false when somebody else was faster
   */
  replace(
    version: number,
    incident: Incident,
    due: { readonly before?: Date; readonly next?: Date },
  ): Promise<boolean>;
  /** Lists ids of incidents whose next step is due. */
  dueSteps(now: Date, limit: number): Promise<readonly { readonly id: string; readonly due: Date }[]>;
  /** Forgets a step that is due no longer. */
  forgetStep(id: string, due: Date): Promise<void>;
}

/** A held message as it is kept. */
export interface HeldEntry {
  readonly key: string;
  readonly held: Held;
}

/** Sends a request to a receiver. */
export type SendRequest = (
  request: Outgoing,
  to: {
    readonly where: string;
    readonly certificateAuthorities?: readonly string[];
    readonly allowPrivateAddresses?: boolean;
  },
) => Promise<ReceiverAnswer>;

/** Publishes to an SNS topic. */
export type PublishToTopic = (
  topicArn: string,
  mail: { readonly subject: string; readonly message: string },
) => Promise<void>;

/** Reads the value of a secret. */
export type ReadCredential = (secretId: string) => Promise<string | undefined>;
