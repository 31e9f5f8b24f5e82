/** The text that an alarm gives the person it wakes. The long form stands in `docs/runbooks/<name>.md`. */
export interface Runbook {
  /** Fault that the alarm tells of, and its meaning. */
  readonly description: string;
  /** First places to look at. */
  readonly investigation: string;
  /** Usual way in which it ends. */
  readonly resolution: string;
}

/** One runbook per alarm. The name is the alarm's and the file's. */
export const runbooks = {
  'rotation-failed': {
    description: 'A scheduled or requested rotation failed. The current credential still works.',
    investigation: 'rekey doctor; rekey secret show <secret>; rekey audit tail for the error code.',
    resolution: 'Remove the cause that the code names, then rekey secret rotate <secret>.',
  },
  'rotation-braked': {
    description:
      'So many secrets of a rotation function failed in a row that none of its rotations begins. Current credentials still work, and revocations go on.',
    investigation: 'rekey doctor for the function and its secrets; rekey audit tail for the error codes.',
    resolution:
      'Remove what the failures have in common, then rekey resume <secret> --reason, or deploy other code.',
  },
  'rotation-function-errors': {
    description: 'A rotation function ended with an error, a timeout or a crash.',
    investigation: 'The function’s log group; rekey doctor for the secrets that wait for their rotation.',
    resolution:
      'As the log says; Secrets Manager retries by itself, rekey secret rotate <secret> does it now.',
  },
  'containment-function-errors': {
    description:
      'A containment function ended with an error: a leaked credential may still work at its target.',
    investigation: 'rekey audit tail for the revocation; the function’s log group.',
    resolution:
      'Cut the login off at the target by hand if it still works, then repeat rekey revoke <secret> --mode kill.',
  },
  'revocation-function-errors': {
    description:
      'A function of the revocation workflow ended with an error. Requests are tried again; one may be stuck.',
    investigation: 'The function’s log group; rekey audit tail for requests without an end.',
    resolution: 'As the log says; repeat a request that has no end with rekey revoke <secret> --mode kill.',
  },
  'revocation-failed': {
    description: 'A revocation did not end: a leaked credential may still work at its target.',
    investigation: 'rekey audit tail for the stage and the error code; the workflow’s execution.',
    resolution:
      'Cut the login off at the target by hand if it still works, then repeat rekey revoke <secret> --mode kill.',
  },
  'revocation-unproven': {
    description:
      'A leaked credential was replaced, and nothing that Rekey can reach could be asked whether it is refused. It may still work.',
    investigation: 'rekey audit tail for Secret Revocation Unproven: who decides, the consumers, the owner.',
    resolution: 'Make every consumer refuse the old value, and see it refused; note it in the incident.',
  },
  'revocation-rejected': {
    description: 'A revocation was asked for and refused; nothing was done about the credential.',
    investigation: 'rekey audit tail for the reason and the source of the request.',
    resolution:
      'Repeat it rightly with rekey revoke <secret> --mode kill; if nobody of you sent it, treat it as an attack.',
  },
  'revocation-dead-letters': {
    description: 'Revocation requests could not be delivered to the intake. They are kept for 14 days.',
    investigation: 'rekey doctor; the intake’s log group; the messages in the dead-letter queue.',
    resolution:
      'Repeat each request with rekey revoke <secret> --mode kill, remove the cause, then empty the queue.',
  },
  'approval-bypassed': {
    description: 'Somebody broke the glass: a revocation goes on without the second person that it needs.',
    investigation: 'rekey audit tail for Approval Bypassed: who, which secret, and why.',
    resolution: 'Confirm with that person that it was an emergency; if it was not, treat it as an attack.',
  },
  'approval-function-errors': {
    description:
      'A function of the approvals ended with an error. An operation may wait although somebody answered.',
    investigation: 'The function’s log group; rekey approval list for what waits.',
    resolution:
      'As the log says. Waiting operations come back each minute; repeat an answer with rekey approval approve.',
  },
  'observation-dead-letters': {
    description:
      'Rotations by a function that is not Rekey’s could not be recorded. Their events are kept for 14 days.',
    investigation: 'The observer’s log group; the messages in its dead-letter queue.',
    resolution: 'Remove the cause, then redrive the queue to the observer; rekey audit verify must pass.',
  },
  'lifecycle-function-errors': {
    description:
      'The function that looks after the life of secrets ended with an error. An expired secret may still work.',
    investigation: 'The function’s log group: it names each secret with the code of its error.',
    resolution:
      'Mend what the code names; the next run, once a day, tries again, and aws lambda invoke does it now.',
  },
  'observation-function-errors': {
    description:
      'What records the rotations by functions that are not Rekey’s ended with an error. Events are tried again.',
    investigation: 'The observer’s log group; the depth of its dead-letter queue.',
    resolution: 'As the log says; redrive the dead-letter queue afterwards; rekey audit verify must pass.',
  },
  'fingerprint-lookups-refused': {
    description:
      'More values were looked up in the index of fingerprints than a minute or an hour has room for. A scan, or somebody who guesses.',
    investigation:
      'rekey audit tail for Fingerprint Looked Up; CloudTrail, Invoke of the lookup function, who.',
    resolution:
      'A scan: have it wait. A guess: take the right to invoke away, and rotate what was found with rekey revoke <secret>.',
  },
  'fingerprint-function-errors': {
    description:
      'A function of the fingerprints ended with an error. Rotations and revocations go on; rekey whose may miss a value.',
    investigation: 'The function’s log group; it names secrets that could not be looked at, and why.',
    resolution: 'As the log says; the next sweep, within six hours, catches up.',
  },
  'function-throttled': {
    description:
      'Lambda refused to start a function of Rekey: the account’s or the function’s concurrency is used up. An emergency would wait, too.',
    investigation: 'CloudWatch, AWS/Lambda, ConcurrentExecutions of the account; which function uses it.',
    resolution: 'Stop or limit what uses it up, or have the quota raised; new accounts begin with 10.',
  },
  'audit-stalled': {
    description:
      'Records wait for the audit log, and for five minutes none was written. Each retry counts towards the dead-letter queue.',
    investigation: 'rekey doctor; the writer’s log group; its event source mapping, bucket and key.',
    resolution: 'Remove the cause; the queue drains by itself. rekey audit verify must pass.',
  },
  'audit-writer-errors': {
    description: 'The writer of the audit log fails again and again. Records wait in the queue.',
    investigation: 'The writer’s log group for the code; rekey audit verify.',
    resolution: 'Remove the cause; the queue drains by itself. rekey audit verify must pass.',
  },
  'audit-log-broken': {
    description:
      'An object at the end of the audit log is not intact: somebody put or changed it. The log goes on behind it.',
    investigation: 'rekey audit verify names the object; CloudTrail, PutObject on the bucket, who.',
    resolution:
      'Find out who may write the bucket, and take that away. What is there stays, and verification names it.',
  },
  'notification-failed': {
    description: 'People could not be told of an event on one of the channels. Other channels were told.',
    investigation:
      'The notifier’s log group names the channel and the code; rekey notify test --channel <name>.',
    resolution:
      'Put a valid URL or key into the secret of the channel; the event is tried again for an hour.',
  },
  'notification-dead-letters': {
    description:
      'Events could not be told for more than an hour. They are kept for 14 days; the audit log has them.',
    investigation: 'The notifier’s log group; rekey audit tail for what happened meanwhile.',
    resolution:
      'Remove the cause, then redrive the dead-letter queue; what was told already is not told again.',
  },
  'notification-function-errors': {
    description: 'The notifier ended with an error again and again: digests and escalations are late.',
    investigation: 'The notifier’s log group for the code.',
    resolution: 'As the log says; each minute tries again by itself.',
  },
  'signal-rejected': {
    description:
      'Somebody sent forged, old or unreadable messages to the address of signals, or a shared secret differs. Nothing was done.',
    investigation: 'rekey audit tail --since 1h for Signal Rejected: kind and code; the log of the function.',
    resolution:
      'Put the same shared secret on both sides, or have the sender’s address looked at; redeliver what was genuine.',
  },
  'signal-to-decide': {
    description:
      'Somebody outside says that a credential leaked, and a person must decide; or no secret is known for it.',
    investigation:
      'rekey audit tail --since 1h for Signal Received and Signal Unresolved: what, where, the command.',
    resolution:
      'rekey revoke <secret> --mode kill, as the record says; or close it at the sender as a false alarm.',
  },
  'signal-dead-letters': {
    description: 'Signals of leaked credentials could not be worked on. They are kept for 14 days.',
    investigation: 'The log groups of the signal functions for the code; the messages say kind and time.',
    resolution: 'Remove the cause; redrive what AWS sent, and have the scanner redeliver what it sent.',
  },
  'signal-function-errors': {
    description:
      'A function that takes signals of leaked credentials ended with an error. It is tried again.',
    investigation: 'The log group of the function for the code.',
    resolution: 'As the log says; have the scanner redeliver what it sent meanwhile.',
  },
  'honey-secret-used': {
    description: 'Somebody used a secret that nobody may use. It has no other use, so this is an incident.',
    investigation:
      'rekey audit tail --since 1h for Honey Secret Used: principal, address, time; CloudTrail for what else.',
    resolution:
      'Take the principal’s credentials away, and revoke what it could read; then replace the honey secret.',
  },
  'request-disputed': {
    description:
      'CloudTrail says that somebody else made a request than the request says. It may be a forgery, or a tool that names no ARN.',
    investigation:
      'rekey audit tail --since 1h for Request Attributed: claimed, proven, the id of the record in the trail.',
    resolution:
      'Ask whom the request names. If it was not theirs, end the sessions of the caller, and revoke what it may read.',
  },
  'attribution-dead-letters': {
    description:
      'Files of the trail could not be read, or are none of CloudTrail. Requests in them are not attributed.',
    investigation:
      'The function’s log group for the code; the message names the object; aws cloudtrail validate-logs for who changed it.',
    resolution:
      'Remove the cause, then redrive the dead-letter queue; what was told already is not told again.',
  },
  'attribution-function-errors': {
    description: 'The function that reads the trail ended with an error. Messages come again.',
    investigation: 'The function’s log group for the code.',
    resolution: 'As the log says; the queue keeps files for 14 days.',
  },
  'quarantine-refused': {
    description: 'A quarantine of a principal, or its end, was asked for and refused; nothing was changed.',
    investigation:
      'rekey audit tail --since 1h for Principal Quarantine Refused: the code and the principal.',
    resolution:
      'As the code says; deny the principal by hand in IAM if it must be cut off now, and repeat rekey quarantine.',
  },
  'quarantine-dead-letters': {
    description:
      'Requests for quarantines could not be carried out, by tries of an hour. They are kept for 14 days.',
    investigation: 'The log group of the function for the code; the messages in the dead-letter queue.',
    resolution:
      'Remove the cause, repeat each request with rekey quarantine, then empty the queue. Old requests are refused.',
  },
  'quarantine-function-errors': {
    description: 'The function that quarantines principals ended with an error. It is tried again.',
    investigation: 'The log group of the function for the code; rekey audit tail for the requests.',
    resolution: 'As the log says; repeat a request that has no end with rekey quarantine.',
  },
  'audit-dead-letters': {
    description: 'Records could not be written to the audit log. They are kept for 14 days.',
    investigation: 'rekey doctor; the writer’s log group; rekey audit verify.',
    resolution: 'Remove the cause, then redrive the dead-letter queue; rekey audit verify must pass.',
  },
  'audit-delayed': {
    description: 'The oldest record waits longer than five minutes for the audit log.',
    investigation: 'rekey doctor; the writer’s log group and its throttles.',
    resolution: 'Remove the cause; the queue drains by itself. rekey audit verify must pass.',
  },
  'audit-publish-failed': {
    description:
      'A function could not hand a record to the audit log by bus or queue. Rotations stop meanwhile.',
    investigation: 'rekey doctor; the bus, the queue and the permissions of the function’s role.',
    resolution: 'Remove the cause; repeat what was stopped with rekey secret rotate <secret>.',
  },
} as const satisfies Record<string, Runbook>;

/** Name of a runbook, which is that of its page in `docs/runbooks`. */
export type RunbookName = keyof typeof runbooks;
