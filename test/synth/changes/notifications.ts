import { notificationChanges } from '../../../lib/config/notification-changes.ts';
import type { ConfigurationInput } from '../../../lib/config/schema.ts';

type Notifications = NonNullable<ConfigurationInput['environments'][string]['notifications']>;

const key = (id: string) => `arn:aws:kms:eu-central-1:111122223333:key/${id}-2222-3333-4444-555555555555`;
const topic = (name: string) => `arn:aws:sns:eu-central-1:111122223333:${name}`;

/** The settings of the notifier, one for each configuration: not there, there, changed in each field, gone. */
const settings: readonly (Notifications | undefined)[] = [
  undefined,
  {
    channels: {
      chat: { kind: 'slack', secret: 'notify/chat', encryptionKey: key('11111111') },
      mail: { kind: 'sns', emails: ['a@example.com'] },
      theirs: { kind: 'sns', topicArn: topic('ops') },
    },
    routes: [{ events: ['Finding Raised'], urgencies: ['warning'], owners: ['team-orders'], to: ['chat'] }],
    escalation: { steps: [{ afterMinutes: 5, to: ['mail'] }] },
    quietHours: { timeZone: 'Europe/Berlin', periods: [{ from: '22:00', to: '06:00' }] },
    runbookUrl: 'https://one.example.com/',
  },
  {
    channels: {
      chat: {
        kind: 'teams',
        secret: 'notify/other',
        encryptionKey: key('66666666'),
        hosts: ['chat.example.com'],
        certificateAuthority: 'one.pem',
        allowPrivateAddresses: true,
        emergencies: false,
        owners: ['team-orders'],
      },
      mail: { kind: 'sns', emails: ['b@example.com'] },
      theirs: { kind: 'sns', topicArn: topic('other') },
    },
    routes: [
      { events: ['Secret Rotation Failed'], urgencies: ['emergency'], owners: ['team-stock'], to: ['mail'] },
    ],
    escalation: { urgencies: ['warning'], steps: [{ afterMinutes: 9, to: ['chat'] }] },
    quietHours: { timeZone: 'Asia/Tokyo', periods: [{ from: '20:00', to: '08:00', days: ['sun'] }] },
    bounds: { gatherMinutes: 5, messagesPerHour: 5 },
    runbookUrl: 'https://other.example.com/',
  },
  undefined,
];

/** The notifier's settings of one configuration. */
export const notificationsAt = (step: number): Notifications => settings[step] ?? {};

/** The samples of its fields, all of which {@link notificationsAt} gives at once. */
export const notificationSamples = Object.fromEntries(
  Object.keys(notificationChanges).map((field) => [field, {}]),
) as Readonly<Record<keyof typeof notificationChanges, object>>;
