import type { Entries } from './entry.ts';

/** Errors of the audit log and the ways to it. */
export const audit: Entries<'audit'> = {
  AuditUnavailable: {
    meaning:
      'The event bus, or the queue of the audit log, did not take a record. A rotation stops before it changes anything.',
    mender: 'administrator of AWS',
    remedy: 'See the runbook audit-publish-failed. What passes is tried again.',
  },
  AuditRefused: {
    meaning:
      'The event bus, or the queue of the audit log, refuses records until somebody mends it: a policy, its key, or it is gone. A rotation stops before it changes anything.',
    mender: 'administrator of AWS',
    remedy: 'See the runbook audit-publish-failed; the message names what AWS answered.',
  },
  RecordTooLarge: {
    meaning: 'A record is larger than what the event bus takes.',
    mender: 'operator',
    remedy: 'Name fewer versions in one request; anything else is a defect: report it.',
  },
  AuditContended: {
    meaning: 'Other writers took the place at the end of the log again and again.',
    mender: 'nobody, it passes',
    remedy: 'The queue brings the records again.',
  },
  AuditKeyUnusable: {
    meaning: 'S3 cannot use the KMS key of the audit log: it is disabled, or will be deleted.',
    mender: 'administrator of AWS',
    remedy: 'Enable the key, or cancel its deletion. The queue keeps the records meanwhile.',
  },
  TrailFileInvalid: {
    meaning:
      'A file in the bucket of the trail is none that CloudTrail wrote, or is cut off. What stands before the fault was read.',
    mender: 'administrator of AWS',
    remedy:
      'See the runbook attribution-dead-letters: find out who put the file there, and validate the trail with `aws cloudtrail validate-logs`.',
  },
};
