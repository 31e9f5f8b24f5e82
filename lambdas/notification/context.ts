import type { NotificationMemory, PublishToTopic, SendRequest } from '../../core/notification/ports.ts';
import type { NotifierSettings } from '../../core/notification/settings.ts';
import type { Clock, DefinitionStore, EventBus } from '../../core/ports.ts';
import type { ChannelCredentials } from './credentials.ts';

/** The parts that the notifier works with. */
export interface NotifierContext {
  readonly environment: string;
  readonly settings: NotifierSettings;
  readonly memory: NotificationMemory;
  readonly credentials: ChannelCredentials;
  readonly send: SendRequest;
  readonly publishToTopic: PublishToTopic;
  /** Gives the certificate authorities in a file beside the bundle. */
  readonly authorities: (file: string) => readonly string[];
  readonly definitions: Pick<DefinitionStore, 'find'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  /** Name of the function, as records have it. */
  readonly actor: string;
  /** Writes down an event that was left aside, and why. */
  readonly note: (message: string, facts?: Readonly<Record<string, unknown>>) => void;
}
