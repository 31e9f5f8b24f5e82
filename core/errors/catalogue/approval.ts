import type { Entries } from './entry.ts';

/** Errors of operations that wait for a second person. */
export const approval: Entries<'approval'> = {
  IdentityUnproven: {
    meaning: 'AWS does not say who signed this, or it was signed for something else; nothing was noted.',
    mender: 'caller',
    remedy: 'Repeat the command with valid credentials and a clock that is right.',
  },
  PersonUnnamed: {
    meaning: "The caller is the account's root, or a session whose name says nothing of a person.",
    mender: 'caller',
    remedy: 'Sign in through Identity Center, or set `role_session_name` to your name.',
  },
  PersonNotPermitted: {
    meaning: 'The caller is proven, and is no session of a role that may ask, or answer.',
    mender: 'caller',
    remedy: 'Take the role of a responder to ask and of an approver to answer.',
  },
  AuthorUnproven: {
    meaning: 'The request needs a second person, and nobody has proven to be the first; nothing was done.',
    mender: 'sender of the request',
    remedy: 'Send it with `rekey revoke`, which proves who asks; in an emergency, with `--break-glass`.',
  },
  AuthorConflict: {
    meaning: 'The id was used before, by somebody else or for another request.',
    mender: 'sender of the request',
    remedy: 'Send the request with an id of its own.',
  },
  BreakGlassForbidden: {
    meaning: 'The request wants to go on without approval, which the configuration does not allow.',
    mender: 'sender of the request',
    remedy: 'Send it without `--break-glass`, and have a second person approve.',
  },
  ApprovalMalformed: {
    meaning: 'Fields of the answer or the question are missing, unknown or of a wrong form.',
    mender: 'caller',
    remedy: 'Bring the CLI up to date, and repeat the command.',
  },
  ApprovalUnknown: {
    meaning: 'No request of this id waits, or waited of late.',
    mender: 'caller',
    remedy: 'Take the id from `rekey approval list`.',
  },
  ApproverIsAuthor: {
    meaning: 'The person who asked cannot answer, under whatever role.',
    mender: 'caller',
    remedy: 'Have another person answer.',
  },
  ApproverNotNamed: {
    meaning: 'The configuration names those who may answer, and this person is none of them.',
    mender: 'caller',
    remedy: 'Have one of them answer.',
  },
  ApprovalDecided: {
    meaning: 'Somebody has answered before; the first answer counts.',
    mender: 'caller',
    remedy: 'See `rekey approval show`.',
  },
  ApprovalRefused: {
    meaning: 'A second person refused the operation; it was not done.',
    mender: 'sender of the request',
    remedy: 'Talk to the person who refused. The leaked credential still works.',
  },
  ApprovalExpired: {
    meaning: 'Nobody approved the operation in time; it was not done.',
    mender: 'sender of the request',
    remedy: 'Ask again, and reach an approver; in an emergency, with `--break-glass`.',
  },
  LinkInvalid: {
    meaning: 'The link is incomplete, was changed, has run out, or is of another request.',
    mender: 'caller',
    remedy: 'Answer with `rekey approval approve` or `rekey approval refuse`.',
  },
};
