import * as z from 'zod';
import { detailTypes } from '../events/catalogue.ts';

/** Degrees of how soon somebody must know. An emergency is never held back. */
export const urgencies = ['emergency', 'warning', 'information'] as const;
export type Urgency = (typeof urgencies)[number];

/** Days of a week, Monday first. */
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** The word for the channels of whoever answers for a secret, in a step of the escalation. */
export const ownerWord = 'owner';

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00');

/** Tells whether a name is a time zone of the IANA database, as this Node.js knows it. */
function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

/** A part of a day in which messages that are no emergency wait. */
const quietPeriodSchema = z
  .strictObject({
    /** Time of day at which it begins, local. */
    from: timeOfDay,
    /** Time of day at which it ends, local; the next day's where it is not after `from`. */
    to: z.union([timeOfDay, z.literal('24:00')], { error: 'must be a time of day such as 07:00, or 24:00' }),
    /** Days on which it begins. @default - every day */
    days: z
      .array(z.enum(weekdays))
      .min(1)
      .default([...weekdays]),
  })
  .refine(({ from, to }) => from !== to, { error: 'must differ from `from`', path: ['to'] });
export type QuietPeriod = z.output<typeof quietPeriodSchema>;

/** Hours in which messages that are no emergency wait. */
export const quietHoursSchema = z.strictObject({
  /** Name of the IANA database, such as `Europe/Berlin`. */
  timeZone: z.string().refine(isTimeZone, 'must be a time zone of the IANA database'),
  periods: z.array(quietPeriodSchema).min(1).max(10),
});
export type QuietHours = z.output<typeof quietHoursSchema>;

/** Says who is told of events of some kinds, urgencies or owners. What is left out means any. */
export const routeSchema = z.strictObject({
  events: z
    .array(z.enum(detailTypes as readonly [string, ...string[]]))
    .min(1)
    .optional(),
  urgencies: z.array(z.enum(urgencies)).min(1).optional(),
  owners: z.array(z.string().min(1).max(128)).min(1).optional(),
  /** Names of channels; none for silence. */
  to: z.array(z.string()).max(20),
});
export type Route = z.output<typeof routeSchema>;

/** Says who is told when nobody acknowledges an incident. */
export const escalationSchema = z.strictObject({
  /** Urgencies of the events whose incidents are escalated. @default - emergencies alone */
  urgencies: z
    .array(z.enum(['emergency', 'warning']))
    .min(1)
    .default(['emergency']),
  steps: z
    .array(
      z.strictObject({
        /** Minutes after the incident began. */
        afterMinutes: z.int().min(0).max(10_080),
        /** Names of channels, or `owner`. */
        to: z.array(z.string()).min(1).max(20),
      }),
    )
    .min(1)
    .max(10)
    .refine(
      (steps) =>
        steps.every(
          ({ afterMinutes }, index) => index === 0 || afterMinutes > (steps[index - 1]?.afterMinutes ?? 0),
        ),
      'must be in order, each later than the one before',
    ),
});
export type Escalation = z.output<typeof escalationSchema>;

/** The bounds that keep a storm from flooding people. */
export const boundsSchema = z
  .strictObject({
    /** Minutes in which messages about the same thing become one. */
    gatherMinutes: z.int().min(1).max(60).default(15),
    /** Most messages of one channel in an hour; the rest is counted and told in one. Emergencies have as many besides. */
    messagesPerHour: z.int().min(1).max(60).default(20),
  })
  .prefault({});
export type Bounds = z.output<typeof boundsSchema>;

/** Names of the kinds of channels. */
const channelKinds = ['sns', 'slack', 'teams', 'webhook', 'pagerduty', 'opsgenie'] as const;
export type ChannelKind = (typeof channelKinds)[number];

/** A channel as the deployed notifier reads it. */
const channelSchema = z.object({
  kind: z.enum(channelKinds),
  /** Name or ARN of the secret that holds the URL and the keys; of `sns` there is none. */
  secret: z.string().min(1).optional(),
  /** Topic of the kind `sns`. */
  topicArn: z.string().min(1).optional(),
  /** Hosts that may be called; `*.` stands for any names below. */
  hosts: z.array(z.string()).default([]),
  /** True if it is told of every emergency. */
  emergencies: z.boolean().default(true),
  /** Owners whose secrets it is told of. */
  owners: z.array(z.string()).default([]),
  /** File beside the bundle with the authorities of the receiver's certificate. */
  caFile: z.string().optional(),
  allowPrivateAddresses: z.boolean().default(false),
});
export type Channel = z.output<typeof channelSchema>;

/** Settings that the deployed notifier reads when it starts. */
export const notifierSettingsSchema = z.object({
  channels: z.record(z.string(), channelSchema),
  routes: z.array(routeSchema).default([]),
  escalation: escalationSchema.optional(),
  quietHours: quietHoursSchema.optional(),
  bounds: boundsSchema,
  /** URL below which the runbooks are found, ending in a slash. */
  runbookUrl: z.string().optional(),
});
export type NotifierSettings = z.output<typeof notifierSettingsSchema>;

/** Hosts of each vendor. A receiver elsewhere must be named in the configuration. */
export const vendorHosts: Readonly<Record<ChannelKind, readonly string[]>> = {
  sns: [],
  /** The hosts of Slack. @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/ */
  slack: ['hooks.slack.com'],
  /** The hosts of Microsoft Teams. @see https://learn.microsoft.com/en-us/power-automate/oauth-authentication */
  teams: ['*.logic.azure.com', '*.api.powerplatform.com'],
  webhook: [],
  /** The hosts of PagerDuty. @see https://developer.pagerduty.com/docs/send-alert-event */
  pagerduty: ['events.pagerduty.com', 'events.eu.pagerduty.com'],
  /** The hosts of Opsgenie. @see https://docs.opsgenie.com/docs/api-overview */
  opsgenie: ['api.opsgenie.com', 'api.eu.opsgenie.com', 'api.atlassian.com'],
};

/** Tells whether a host is one of those that a channel may call. */
export const isAllowedHost = (host: string, allowed: readonly string[]): boolean =>
  allowed.some((pattern) =>
    pattern.startsWith('*.')
      ? host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1
      : host === pattern,
  );
