import * as z from 'zod';
import {
  boundsSchema,
  escalationSchema,
  ownerWord,
  quietHoursSchema,
  routeSchema,
} from '../../core/notification/settings.ts';
import { keyArnSchema, secretIdSchema } from './expressions.ts';

/** Reads the ARN of an SNS topic. */
export const topicArnSchema = z
  .string()
  .regex(/^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+$/, 'must be the ARN of an SNS topic');

/** Settings that every kind of channel has. */
const audience = {
  /** True if the channel is told of every emergency. */
  emergencies: z.boolean().default(true),
  /** Owners whose secrets it is told of. @default - it is for those whose owner has no channel of its own */
  owners: z.array(z.string().min(1).max(128)).max(50).default([]),
};

const hostSchema = z
  .string()
  .regex(
    /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$|^localhost$/,
    'must be a host name in small letters, or one that begins with *.',
  );

/** Settings of a channel that is reached over HTTPS. */
const receiver = {
  ...audience,
  /** Name or full ARN of the secret that holds the URL and the keys, as JSON. */
  secret: secretIdSchema,
  /** Key that encrypts that secret, where it is not the AWS managed one. */
  encryptionKey: keyArnSchema.optional(),
  /** PEM file with the authorities of the receiver's certificate, relative to the configuration file. */
  certificateAuthority: z.string().min(1).optional(),
  /** Permits receivers on private, loopback and link-local addresses. */
  allowPrivateAddresses: z.boolean().default(false),
};

/** Hosts that the secret's URL may lead to. @default - those of the vendor */
const vendorHosts = z.array(hostSchema).min(1).max(10).optional();

const vendorChannel = <Kind extends string>(kind: Kind) =>
  z.strictObject({ kind: z.literal(kind), ...receiver, hosts: vendorHosts });

/** A channel: where people are told. */
const channelConfigurationSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sns'),
    ...audience,
    /** Addresses that are mailed to; each confirms once. */
    emails: z.array(z.email()).max(20).default([]),
    /** An existing SNS topic in place of one of Rekey's own. */
    topicArn: topicArnSchema.optional(),
  }),
  vendorChannel('slack'),
  vendorChannel('teams'),
  vendorChannel('pagerduty'),
  vendorChannel('opsgenie'),
  z.strictObject({
    kind: z.literal('webhook'),
    ...receiver,
    /** Hosts that the secret's URL may lead to. */
    hosts: z.array(hostSchema).min(1).max(10),
  }),
]);
export type ChannelConfiguration = z.output<typeof channelConfigurationSchema>;

const channelName = z
  .string()
  .max(32)
  .regex(/^[a-z][a-z0-9-]*$/, 'must start with a small letter and hold only small letters, digits and -')
  .refine(
    (name) => name !== ownerWord,
    `must not be \`${ownerWord}\`, which stands for the owner's channels`,
  );

/** Fields of `notifications` for the notifier, all of which may be left out. */
export const notifierFields = {
  /** Places where people are told, by name. @default - none: only alarms are told, by mail */
  channels: z.record(channelName, channelConfigurationSchema).default({}),
  /** Rules on who is told of what, where that is other than usual. */
  routes: z.array(routeSchema).max(50).default([]),
  /** Steps of telling others when nobody acknowledges. @default - nobody else */
  escalation: escalationSchema.optional(),
  /** Hours in which messages that are no emergency wait. @default - none */
  quietHours: quietHoursSchema.optional(),
  bounds: boundsSchema,
  /** URL below which the pages of the runbooks are found, ending in a slash. @default - messages name the page alone */
  runbookUrl: z
    .url({ protocol: /^https$/ })
    .max(512)
    .endsWith('/')
    .optional(),
};

interface Notified {
  readonly channels: Readonly<Record<string, ChannelConfiguration>>;
  readonly routes: readonly { readonly to: readonly string[] }[];
  readonly escalation?: { readonly steps: readonly { readonly to: readonly string[] }[] } | undefined;
  readonly quietHours?: unknown;
}

/** A problem of the settings with each other, at a path below `notifications`. */
interface Mismatch {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Finds names of unknown channels, and settings that lead nowhere. */
export function mismatches({ channels, routes, escalation, quietHours }: Notified): readonly Mismatch[] {
  const names = Object.keys(channels);
  const unknown = (
    to: readonly string[],
    path: readonly (string | number)[],
    words: readonly string[],
  ): Mismatch[] =>
    to.flatMap((name, index) =>
      names.includes(name) || words.includes(name)
        ? []
        : [
            {
              path: [...path, index],
              message: `there is no channel ${JSON.stringify(name)}; there are: ${[...names, ...words].join(', ') || 'none'}`,
            },
          ],
    );
  return [
    ...routes.flatMap(({ to }, index) => unknown(to, ['routes', index, 'to'], [])),
    ...(escalation?.steps ?? []).flatMap(({ to }, index) =>
      unknown(to, ['escalation', 'steps', index, 'to'], names.length > 0 ? [ownerWord] : []),
    ),
    ...(names.length > 0
      ? []
      : (['escalation', 'quietHours'] as const)
          .filter((field) => ({ escalation, quietHours })[field] !== undefined)
          .map((field) => ({ path: [field], message: 'needs `channels`: there is nobody to tell' }))),
    ...Object.entries(channels).flatMap(([name, channel]) =>
      channel.kind === 'sns' && (channel.topicArn === undefined) === (channel.emails.length === 0)
        ? [{ path: ['channels', name], message: 'must have one of `emails` and `topicArn`' }]
        : [],
    ),
  ];
}

/** Reads the settings of a notifier by themselves. */
export const notifierSchema = z.strictObject(notifierFields).superRefine((value, context) => {
  for (const { path, message } of mismatches(value)) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
});
