import type { Entries } from './entry.ts';

/** Errors of quarantines of principals. */
export const quarantine: Entries<'quarantine'> = {
  QuarantineOff: {
    meaning: 'The environment quarantines nobody: its configuration names no principals.',
    mender: 'operator',
    remedy: 'Name them in `quarantine.principals` and deploy, or deny the principal by hand.',
  },
  QuarantineScopeInvalid: {
    meaning: 'The access keys of a user have no time of issue, so its sessions alone cannot be denied.',
    mender: 'sender of the request',
    remedy: 'Ask with `--all`, which denies everything to the user until the quarantine is lifted.',
  },
  QuarantineStands: {
    meaning: 'The principal is under a quarantine that denies all that was asked for; nothing was changed.',
    mender: 'sender of the request',
    remedy: 'Nothing is left to do. The message names the request by which it is lifted.',
  },
  QuarantineReplaced: {
    meaning: 'Another quarantine took the place of the one to be lifted; nothing was changed.',
    mender: 'sender of the request',
    remedy: 'Lift the one that stands, which the message names.',
  },
  QuarantineUnknown: {
    meaning: 'The principal is under no quarantine of that request; nothing was changed.',
    mender: 'sender of the request',
    remedy:
      'Take the id from the record `Principal Quarantined`, or send the request again if that is younger.',
  },
  PrincipalNotCovered: {
    meaning: 'The configuration does not name the principal among those that may be quarantined.',
    mender: 'operator',
    remedy: 'Name it in `quarantine.principals` and deploy, or deny it by hand in IAM.',
  },
  PrincipalProtected: {
    meaning: 'The principal is a role of Rekey, or the one who asks: nobody could lift the quarantine.',
    mender: 'sender of the request',
    remedy: 'Deny it by hand in IAM if it must be, from another principal.',
  },
  PrincipalMissing: {
    meaning: 'There is no role or user of this ARN.',
    mender: 'sender of the request',
    remedy: 'Give the ARN as IAM shows it, with its path.',
  },
};
