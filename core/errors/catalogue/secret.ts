import type { Entries } from './entry.ts';

/** Errors of a secret, or of an event about one, that is not as it must be. */
export const secret: Entries<'secret'> = {
  StepUnknown: {
    meaning: 'The event names a step that Secrets Manager does not have.',
    mender: 'operator',
    remedy: 'Only Secrets Manager invokes a rotation function; find out who else did.',
  },
  RotationEventInvalid: {
    meaning: 'The event is not one that Secrets Manager sends to a rotation function.',
    mender: 'operator',
    remedy: 'Only Secrets Manager and its own schedule invoke a rotation function; find out who else did.',
  },
  SecretMissing: {
    meaning: 'The secret does not exist in this account and region, or is scheduled for deletion.',
    mender: 'owner of the secret',
    remedy:
      'Restore it (`aws secretsmanager restore-secret`), or take it out of the configuration and deploy.',
  },
  SecretNameInvalid: {
    meaning: 'Nothing can have this name: it holds characters that no name or ARN of a secret has.',
    mender: 'owner of the secret',
    remedy: 'Correct it where it is written: in `masterarn`, in the configuration or on the command line.',
  },
  SecretAccessDenied: {
    meaning: 'The role may not do this with the secret, or not use its KMS key.',
    mender: 'administrator of AWS',
    remedy:
      "Allow the action that the message names in all of: the policy of the role (deploy again), the secret's resource policy, the policy of its KMS key.",
  },
  SecretKeyUnusable: {
    meaning: 'Secrets Manager cannot use the KMS key of the secret: it is disabled, or will be deleted.',
    mender: 'administrator of AWS',
    remedy: 'Enable the key, or cancel its deletion; then rotate again.',
  },
  SecretReadOnly: {
    meaning: 'The secret is a replica, or another AWS service manages it: it cannot be written here.',
    mender: 'owner of the secret',
    remedy: 'Adopt the secret in its primary region, or leave it to the service that manages it.',
  },
  SecretTooLarge: {
    meaning: 'The value that was to be stored is larger than the 64 KiB that Secrets Manager takes.',
    mender: 'owner of the secret',
    remedy: 'Move what is no credential elsewhere; the message has the bytes.',
  },
  VersionQuotaReached: {
    meaning: 'The secret has as many versions as Secrets Manager allows, made faster than it removes them.',
    mender: 'owner of the secret',
    remedy:
      'Find out what stores so many. Versions without a label go by themselves when they are a day old.',
  },
  LabelQuotaReached: {
    meaning: 'The secret has as many staging labels as Secrets Manager allows.',
    mender: 'owner of the secret',
    remedy: 'Take labels of your own away (`aws secretsmanager update-secret-version-stage`).',
  },
  SecretValueMissing: {
    meaning: 'The version has no text value: none was stored, or a binary one.',
    mender: 'owner of the secret',
    remedy: 'Store the credential that works now, as JSON text.',
  },
  SecretValueInvalid: {
    meaning: 'The value is not the JSON that its type reads; the message names the keys, never their values.',
    mender: 'owner of the secret',
    remedy: 'Correct the keys that the message names, as the page of the secret type describes them.',
  },
  RotationDisabled: {
    meaning: 'Rotation of the secret is switched off in Secrets Manager, or was never set up.',
    mender: 'operator',
    remedy: 'Deploy the environment again, which switches it on.',
  },
  RotationPaused: {
    meaning:
      'Somebody has paused the rotations of the secret, so none begins. Nothing was changed; one that had begun goes on, and a revocation is not held up.',
    mender: 'operator',
    remedy: 'It ends by itself at the time that the message names; `rekey resume` ends it now.',
  },
  SecretExpired: {
    meaning:
      'The last day of the secret has passed, so no rotation makes a credential that works. A revocation is not held up.',
    mender: 'operator',
    remedy:
      'Retire the secret. If it is needed longer, set a later `expires`, deploy, and rotate it when `Secret Expiry Extended` is recorded.',
  },
  RotationBraked: {
    meaning:
      'So many secrets of the rotation function failed in a row that its brake is engaged: no rotation of its secrets begins. Nothing was changed; one that had begun goes on, and a revocation is not held up.',
    mender: 'operator',
    remedy:
      'Remove the cause, which the failures of the secrets that the message names tell; then `rekey resume`, or deploy other code.',
  },
  CanaryUnfinished: {
    meaning:
      'The code or the configuration of the rotation function is new, and the first rotation by it had not ended when this one was to begin. Nothing was changed.',
    mender: 'nobody, it passes',
    remedy: 'Secrets Manager tries again; `rekey secret rotate` does it now.',
  },
  RotationFunctionDenied: {
    meaning:
      'Secrets Manager cannot invoke the rotation function: it is gone, or no longer admits Secrets Manager.',
    mender: 'operator',
    remedy: 'Deploy the environment again.',
  },
  VersionUnknown: {
    meaning: 'The secret has no version with the id that the event carries.',
    mender: 'operator',
    remedy: 'The event is stale or of another secret; rotate again.',
  },
  VersionNotPending: {
    meaning: 'The version of the event carries neither `AWSPENDING` nor `AWSCURRENT`.',
    mender: 'operator',
    remedy: 'Somebody took the label away while the rotation was under way; rotate again.',
  },
  PendingValueRefused: {
    meaning:
      'The pending version holds what must not reach the target, such as a password that nobody would accept.',
    mender: 'operator',
    remedy: 'Rotate again: the version was given up, and the next rotation makes another one.',
  },
  PendingOutdated: {
    meaning:
      'The pending version was current before, or somebody has stored another current version since it was made.',
    mender: 'operator',
    remedy: 'Rotate again: the version was given up, and the next rotation starts from what is current.',
  },
  IdentityMismatch: {
    meaning:
      'Two versions that must be of one user and one place are not: another host, port, user or resource.',
    mender: 'owner of the secret',
    remedy:
      'Rotate again: a pending version of somebody else was given up. Otherwise correct what the message names.',
  },
  AdminSecretMissing: {
    meaning: 'The work needs an admin, and the secret names none in `masterarn`, or one that cannot be read.',
    mender: 'operator',
    remedy: 'Name an admin secret in the configuration, and deploy.',
  },
  AdminSecretMismatch: {
    meaning: 'The secret in `masterarn` is of another target, or of the very user that is to be rotated.',
    mender: 'operator',
    remedy: 'Name an admin of the same host and port in the configuration, and deploy.',
  },
  CredentialUnusable: {
    meaning: 'No credential at hand logs in, or none proves that the user belongs to this secret.',
    mender: 'owner of the secret',
    remedy:
      'Store a password that works, set it at the target as its administrator, or name an admin secret.',
  },
  CredentialNotYetAccepted: {
    meaning: 'The service has issued a credential and does not accept it yet.',
    mender: 'nobody, it passes',
    remedy: 'If it stays, somebody revoked it: give the rotation up with `--abandon`, and rotate again.',
  },
  StrategyUnsupported: {
    meaning: 'The type, or this secret as it stands, does not take the strategy.',
    mender: 'operator',
    remedy: 'Choose one of the strategies that the message names, and deploy.',
  },
  CurrentMoved: {
    meaning: '`AWSCURRENT` was moved by another rotation or a person while this one was under way.',
    mender: 'nobody, it passes',
    remedy: 'The next try starts from the version that is current now.',
  },
  SlotsTaken: {
    meaning:
      'The target has room for no further credential, and those it has are not known to be free to go.',
    mender: 'administrator of the target',
    remedy: 'Delete there the credential that nothing uses; the message names all with age and last use.',
  },
  SlotsBusy: {
    meaning: 'The place for a further credential is held by another run, which may still store what it made.',
    mender: 'nobody, it passes',
    remedy: 'The next try removes what was not stored.',
  },
  ManagedByAws: {
    meaning: 'An AWS service keeps and rotates this credential itself.',
    mender: 'operator',
    remedy: 'Leave it to that service, or turn its own rotation off first.',
  },
  SessionCutoffInvalid: {
    meaning: 'The function that ends sessions was asked for what it does not do; no session was ended.',
    mender: 'operator',
    remedy: 'The containment function alone may call it; find out who else did.',
  },
};
