import type { DetailType, EventData } from '../events/catalogue.ts';
import type { Act } from './notice.ts';
import type { Urgency } from './settings.ts';

/** The way in which events of one kind are told. */
export interface Telling<T extends DetailType> {
  readonly urgency: Urgency | ((data: EventData<T>) => Urgency);
  /** Title of the message; the subject follows it. */
  readonly title: string | ((data: EventData<T>) => string);
  readonly subject: (data: EventData<T>) => string;
  readonly facts?: (data: EventData<T>) => Readonly<Record<string, string | undefined>>;
  /** The incident: the key of what it is about, and the part that the event plays in it. */
  readonly incident?: {
    readonly act: Act | ((data: EventData<T>) => Act);
    readonly key: (data: EventData<T>, eventId: string) => string;
  };
  /** Page of `docs/runbooks`. */
  readonly runbook?: string;
}

/** Names the secret of an event. */
export const ofSecret = ({ secretName }: { readonly secretName: string }): string => secretName;

/** Gives what stands behind the colons of an ARN. */
export const nameInArn = (arn: string): string => arn.split(':').slice(6).join(':') || arn;

/** Marks a rehearsal in a message. */
export const drillOf = (drill: boolean): string | undefined => (drill ? 'yes, a rehearsal' : undefined);

/** Makes the telling of events that are told only where a route asks for them. */
export const silent = <Name extends string>(title: string, subject: (data: Record<Name, string>) => string) =>
  ({ urgency: 'information', title, subject }) as const;
