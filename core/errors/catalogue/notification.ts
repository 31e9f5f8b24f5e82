import type { Entries } from './entry.ts';

/** Errors of telling people. The audit log has each event, whether it could be told or not. */
export const notification: Entries<'notification'> = {
  ChannelThrottled: {
    meaning: 'The receiver of a channel takes no more messages for a while, and says for how long.',
    mender: 'nobody, it passes',
    remedy: 'If it stays, lower `notifications.bounds.messagesPerHour`, or raise the limit at the receiver.',
  },
  ChannelUnavailable: {
    meaning: 'The receiver of a channel has a fault of its own, or did not answer in time.',
    mender: 'nobody, it passes',
    remedy: 'If it stays, look at the status page of the receiver; see the runbook notification-failed.',
  },
  ChannelRefused: {
    meaning: 'The receiver of a channel refused a message for its form or its place.',
    mender: 'operator',
    remedy:
      'Look the status of the message up in the documentation of the receiver; the channel there may be gone.',
  },
  ChannelCredentialRefused: {
    meaning:
      'The receiver of a channel refused the URL or key that the secret holds, also after it was read again.',
    mender: 'operator',
    remedy: 'Make a new webhook or key at the receiver, put it into the secret, then `rekey notify test`.',
  },
  ChannelSecretInvalid: {
    meaning: 'The secret of a channel is missing, or does not hold what its kind needs.',
    mender: 'operator',
    remedy: 'Put the JSON into it that docs/notifications.md shows; the message names the fields.',
  },
  ChannelHostRefused: {
    meaning: 'The secret of a channel holds a URL at a host that the configuration does not name.',
    mender: 'operator',
    remedy: 'Correct the URL, or name its host in `hosts` of the channel and deploy.',
  },
  NotificationMalformed: {
    meaning: 'What came from the bus is no event of the catalogue, so nobody could be told of it.',
    mender: 'operator',
    remedy: 'Find out who put it on the bus; the message names the kind and the fields.',
  },
  NotifierSettingsInvalid: {
    meaning: 'The settings of the notifier, in its SSM parameter, are missing or not valid.',
    mender: 'operator',
    remedy: 'The parameter was changed outside the deployment: deploy again.',
  },
  NotificationsUndelivered: {
    meaning: 'An event could not be told on some of its channels. It is tried again, there alone.',
    mender: 'operator',
    remedy: 'See the runbook notification-failed; the message names the channels, each with its code.',
  },
};
