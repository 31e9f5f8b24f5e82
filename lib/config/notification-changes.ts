const deploy = (what: string) => ({ effect: 'deploy', what }) as const;

const told = deploy('the next event is told so; what was told or held back stays as it is');
const receiver = deploy('counts for the next message');
const steps = deploy('counts for incidents that are open, too; steps that were taken are not taken back');
const quiet = deploy(
  'counts for the next event; what is held back comes when its time was, unless that is quiet now',
);

/** The effect of a change of each field of the notifier. */
export const notificationChanges = {
  'notifications.channels.*': deploy(
    'the first one brings the notifier, and without one it goes with what it holds back; another name is another channel',
  ),
  'notifications.channels.*.kind': receiver,
  'notifications.channels.*.secret': receiver,
  'notifications.channels.*.encryptionKey': deploy('the notifier may use it'),
  'notifications.channels.*.hosts': receiver,
  'notifications.channels.*.certificateAuthority': receiver,
  'notifications.channels.*.allowPrivateAddresses': receiver,
  'notifications.channels.*.emails': deploy(
    'a new address gets a mail to confirm; one that goes gets no more',
  ),
  'notifications.channels.*.topicArn': deploy(
    "messages go there, and the channel's own topic goes with its addresses",
  ),
  'notifications.channels.*.emergencies': told,
  'notifications.channels.*.owners': told,
  'notifications.routes.*.events': told,
  'notifications.routes.*.urgencies': told,
  'notifications.routes.*.owners': told,
  'notifications.routes.*.to': told,
  'notifications.escalation.urgencies': steps,
  'notifications.escalation.steps.*.afterMinutes': steps,
  'notifications.escalation.steps.*.to': steps,
  'notifications.quietHours.timeZone': quiet,
  'notifications.quietHours.periods.*.from': quiet,
  'notifications.quietHours.periods.*.to': quiet,
  'notifications.quietHours.periods.*.days': quiet,
  'notifications.bounds.gatherMinutes': told,
  'notifications.bounds.messagesPerHour': told,
  'notifications.runbookUrl': told,
} as const;
