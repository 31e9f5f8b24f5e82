import type { Entries } from './entry.ts';

/** Errors of the system that accepts the credential. */
export const target: Entries<'target'> = {
  TargetUnreachable: {
    meaning:
      'No connection to the target: its name is not resolved, the connection is refused or reset, or nothing answers in time.',
    mender: 'administrator of AWS',
    remedy:
      'Check that the database runs, that `host` and `port` are right, and that security groups and routes let the function there. What passes is tried again.',
  },
  TargetBusy: {
    meaning:
      'The target is there and takes no further connection or call now: its connections, those of the user, or its rate are used up.',
    mender: 'nobody, it passes',
    remedy:
      'If it stays, raise the limit (`max_connections`, `CONNECTION LIMIT`, `MAX_USER_CONNECTIONS`, `maxclients`, the rate at the vendor), or spread the schedules.',
  },
  TlsRefused: {
    meaning:
      'The TLS handshake failed: the target offers no TLS, nobody whom Rekey trusts signed its certificate, or that is of another name or has ended.',
    mender: 'operator',
    remedy:
      'Turn TLS on at the target, give its authority in `certificateAuthority`, or set `"ssl": false` in the secret to accept plaintext.',
  },
  AuthenticationRefused: {
    meaning: 'The target was reached and refused the login.',
    mender: 'owner of the secret',
    remedy:
      'Store the password that works now, or name an admin secret in the configuration: the next rotation then recovers by itself.',
  },
  PermissionMissing: {
    meaning:
      'The login works and lacks a permission; the message names it, as the exact statement where there is one.',
    mender: 'administrator of the target',
    remedy:
      'Run the statement, or give the function the permission, that the message names; then rotate again.',
  },
  DatabaseMissing: {
    meaning: 'The login works, and the database named in the secret does not exist.',
    mender: 'owner of the secret',
    remedy: 'Correct `dbname` in the secret, or create the database.',
  },
  TargetTimeout: {
    meaning:
      'The target was reached and did not finish in time, or is busy with another change: locks, load, a reset that is under way.',
    mender: 'nobody, it passes',
    remedy: 'If it stays, look for locks and load at the target.',
  },
  PolicyRefused: {
    meaning: "The target's own rules for passwords refused the generated one; the message says which.",
    mender: 'operator',
    remedy:
      'Make `passwords` in the configuration longer or with more kinds of characters, deploy, and rotate again.',
  },
  TargetRefused: {
    meaning: 'The target answered with another error, whose number or name the message holds.',
    mender: 'administrator of the target',
    remedy: 'Look the number or name up in the manual of the target; its own log says more.',
  },
};
