import type { AnyEvent, DetailType, EventData } from '../../../core/events/catalogue.ts';
import { createEvent } from '../../../core/events/create.ts';
import { type NotifierSettings, notifierSettingsSchema } from '../../../core/notification/settings.ts';
import type { NotifierContext } from '../../../lambdas/notification/context.ts';
import { ChannelCredentials } from '../../../lambdas/notification/credentials.ts';
import { notify, type Told } from '../../../lambdas/notification/notify.ts';
import { type Ticked, tick } from '../../../lambdas/notification/tick.ts';
import { httpsTransport } from '../../../rotators/http/transport.ts';
import {
  type Contract,
  opsgenieContract,
  pagerdutyContract,
  slackContract,
  teamsContract,
  webhookContract,
} from '../../receivers/contracts.ts';
import { type Receiver, startReceiver } from '../../receivers/receiver.ts';
import { PlainNotificationMemory } from './memory.ts';

type Kind = 'slack' | 'teams' | 'webhook' | 'pagerduty' | 'opsgenie';
type Channels = NotifierSettings['channels'];
type SettingsInput = Parameters<typeof notifierSettingsSchema.parse>[0] & object;

/** A notifier as it is deployed, but for AWS: real HTTPS to real receivers, with a clock that is set by hand. */
export class NotificationWorld {
  readonly memory = new PlainNotificationMemory();
  readonly mails: { topic: string; subject: string; message: string }[] = [];
  readonly published: AnyEvent[] = [];
  readonly notes: string[] = [];
  readonly secrets = new Map<string, string>();
  /** Number of reads of secrets. */
  reads = 0;
  readonly owners = new Map<string, string>();
  readonly receivers = new Map<string, Receiver>();
  now = new Date('2026-03-10T12:00:30.000Z');
  settings: NotifierSettings;
  readonly context: NotifierContext;

  constructor() {
    this.settings = notifierSettingsSchema.parse({ channels: {} });
    const clock = { now: () => this.now };
    const transport = httpsTransport();
    const world = this;
    this.context = {
      environment: 'test',
      get settings() {
        return world.settings;
      },
      memory: this.memory,
      credentials: new ChannelCredentials(async (secret) => {
        this.reads += 1;
        return this.secrets.get(secret);
      }, clock),
      send: (request, to) =>
        transport(request, { connectTimeoutMs: 5_000, statementTimeoutMs: 5_000, ...to }),
      publishToTopic: async (topic, mail) => {
        this.mails.push({ topic, ...mail });
      },
      authorities: (file) => [this.receivers.get(file)?.authority ?? ''],
      definitions: {
        find: async (secret) => ({ owner: this.owners.get(secret) ?? 'nobody' }) as never,
      },
      bus: {
        publish: async (events) => {
          this.published.push(...events);
        },
      },
      clock,
      actor: 'notifier',
      note: (message, facts) => this.notes.push(`${message} ${JSON.stringify(facts ?? {})}`),
    };
  }

  /** Starts a receiver and gives it a channel of its name. */
  async channel(
    name: string,
    kind: Kind,
    more: Partial<Channels[string]> = {},
    contract?: Contract,
  ): Promise<Receiver> {
    const receiver = await startReceiver(contract ?? contracts[kind](() => this.now));
    this.receivers.set(name, receiver);
    this.secrets.set(`notify/${name}`, receiver.secret);
    this.configure({
      channels: {
        ...this.settings.channels,
        [name]: {
          kind,
          secret: `notify/${name}`,
          hosts: ['localhost'],
          allowPrivateAddresses: true,
          caFile: name,
          ...more,
        },
      },
    });
    return receiver;
  }

  /** Changes settings; what is not given stays. */
  configure(settings: SettingsInput): void {
    this.settings = notifierSettingsSchema.parse({ ...this.settings, ...settings });
  }

  /** Makes an event, as the bus delivers it. */
  event<T extends DetailType>(
    detailType: T,
    data: EventData<T>,
    { at = this.now, id }: { readonly at?: Date; readonly id?: string } = {},
  ) {
    const random = {
      bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
      integer: () => 0,
    };
    const origin = {
      source: 'rekey.rotation',
      environment: 'test',
      actor: 'function',
      clock: { now: () => at },
      random,
    } as const;
    const { source, detail } = createEvent(origin, detailType, data, { correlationId: 'c' });
    const metadata = { ...detail.metadata, ...(id !== undefined && { id }) };
    return {
      source,
      'detail-type': detailType as string,
      time: `${at.toISOString().slice(0, 19)}Z`,
      detail: { ...detail, metadata },
    };
  }

  notify(event: unknown): Promise<Told> {
    return notify(event, this.context);
  }

  tick(): Promise<Ticked> {
    return tick(this.context);
  }

  /** Lets minutes pass. */
  pass(minutes: number): void {
    this.now = new Date(this.now.getTime() + minutes * 60_000);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.receivers.values()].map((receiver) => receiver.stop()));
  }
}

const contracts: Readonly<Record<Kind, (now: () => Date) => Contract>> = {
  slack: () => slackContract,
  teams: () => teamsContract,
  webhook: (now) => webhookContract(now),
  pagerduty: () => pagerdutyContract(),
  opsgenie: () => opsgenieContract(),
};

const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;

/** Data of events, about a secret of a name. */
export const rotationFailed = (name: string): EventData<'Secret Rotation Failed'> => ({
  secretArn: arn(name),
  secretName: name,
  secretType: 'postgresql',
  strategy: 'single-user',
  versionId: 'v1',
  step: 'setSecret',
  error: { code: 'TargetUnreachable', message: 'no answer', retryable: true },
});
export const rotationSucceeded = (name: string): EventData<'Secret Rotation Succeeded'> => {
  const { step: _step, error: _error, ...data } = rotationFailed(name);
  return data;
};
export const revocationStarted = (
  name: string,
  requestId = 'r-1',
): EventData<'Secret Revocation Started'> => ({
  requestId,
  secretArn: arn(name),
  secretName: name,
  mode: 'kill',
  versions: ['v1'],
  reason: 'found in a public repository',
  drill: false,
  requestedAt: '2026-03-10T12:00:00.000Z',
});
export const revocationSucceeded = (
  name: string,
  requestId = 'r-1',
): EventData<'Secret Revocation Succeeded'> => ({
  requestId,
  secretArn: arn(name),
  secretName: name,
  newVersionId: 'v2',
  containments: [],
  verifications: [],
  requestedAt: '2026-03-10T12:00:00.000Z',
  completedAt: '2026-03-10T12:00:00.000Z',
  refusedAt: '2026-03-10T12:00:00.000Z',
});
